//! The SyftBox manager for browsers and notebooks.
