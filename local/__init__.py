"""The laptop runtime: serves the application that `template.yaml` describes, on one port and without Docker.

It knows SAM and the AWS interfaces, not the application. See `stack.py` for the parts and how they join.
"""
