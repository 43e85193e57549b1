"""Schemas as each vendor takes them. What a vendor's dialect cannot say goes into the description, in words.

Sources: OpenAI's guide to structured outputs (strict mode), Anthropic's reference of tools (2020-12, names of
properties), google-genai's documentation of `response_json_schema` (keywords, references). All three refuse a
request as a whole when one tool's schema breaks their rules.
"""

from agent_builder.tools.vendor_schemas.adapting import Adapted, Vendor, adapt

__all__ = ["Adapted", "Vendor", "adapt"]
