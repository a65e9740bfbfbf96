"""Files by their content: each is named by the SHA-256 of its bytes, written whole or not at all.

A local folder by default; any object store that ``fsspec`` speaks (``s3://bucket/prefix``) by
configuration. A name never comes from a user.
"""

from prodapp.storage.store import Storage, StoredFile, init_app, storage

__all__ = ["Storage", "StoredFile", "init_app", "storage"]
