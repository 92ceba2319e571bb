"""Sizes as people read them.

Owns binary units. Knows no room; every face and every finding uses the same.
"""


def binary_size(size: float) -> str:
    """Write bytes in binary units: `412.6 GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    for unit in units[:-1]:
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} {units[-1]}"
