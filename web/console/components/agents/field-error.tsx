/** What is wrong with a control that has no `Field` around it. */
export function FieldError({ id, children }: { id?: string; children: string | undefined }) {
  return children ? (
    <p id={id} role="alert" className="text-[13px] text-bad">
      {children}
    </p>
  ) : null;
}
