/** The mark of the product. */
export function Logo({ className = "size-6" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="8" fill="#0f6b66" />
      <path
        d="M8 10.5A2.5 2.5 0 0 1 10.5 8h11A2.5 2.5 0 0 1 24 10.5v7a2.5 2.5 0 0 1-2.5 2.5H16l-4.6 4.2c-.5.5-1.4.1-1.4-.6V20A2 2 0 0 1 8 17.5Z"
        fill="#fff"
      />
      <circle cx="13" cy="14" r="1.6" fill="#0f6b66" />
      <circle cx="19" cy="14" r="1.6" fill="#0f6b66" />
    </svg>
  );
}
