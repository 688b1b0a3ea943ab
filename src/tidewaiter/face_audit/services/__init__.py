"""Adapters: one recognition service a file, each only translating."""
