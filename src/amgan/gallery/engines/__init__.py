"""Vector engines: exact, approximate, and on a Milvus server."""
