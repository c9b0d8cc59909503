"""Bytes of files as what readers work with: unpacked chunks, lines, JSON values, XML elements; damage is an event."""
