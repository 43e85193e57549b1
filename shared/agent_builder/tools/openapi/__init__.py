"""OpenAPI import: a description becomes HTTP tools, operation by operation, each with the reasons for what was done.

Pure: bytes in, a preview out. Nothing is ever fetched, in particular no reference from inside a document.
"""
