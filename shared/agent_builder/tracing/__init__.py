"""What is told of runs to tracing servers, in their own words."""
