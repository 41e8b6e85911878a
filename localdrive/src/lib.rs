//! A Google Drive v3 compatible server over a folder on disk.
