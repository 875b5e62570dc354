"""Draws the plugin's icon: three stacked cards, the memories, with a bookmark in the front one.

`python3 tools/draw_icon.py` writes plugin/.claude-plugin/icon.png anew; nothing but the standard
library is needed. Shapes are signed distances, so edges are smooth at any size.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

SIZE = 512
TARGET = Path(__file__).parent.parent / "plugin" / ".claude-plugin" / "icon.png"

Colour = tuple[float, float, float]
GROUND_TOP: Colour = (44, 40, 92)
GROUND_BOTTOM: Colour = (24, 22, 54)
CARDS: tuple[tuple[float, float, Colour], ...] = (  # offset up, shrink, colour
    (92, 44, (104, 96, 190)),
    (48, 22, (150, 142, 226)),
    (0, 0, (244, 241, 255)),
)
BOOKMARK: Colour = (255, 138, 92)
LINES: Colour = (188, 180, 228)


def rounded(x: float, y: float, half_width: float, half_height: float, radius: float) -> float:
    """Return the distance of a point to a rounded box around the origin; negative inside."""
    dx, dy = abs(x) - half_width + radius, abs(y) - half_height + radius
    outside: float = (max(dx, 0) ** 2 + max(dy, 0) ** 2) ** 0.5
    return outside + min(max(dx, dy), 0) - radius


def bookmark(x: float, y: float) -> float:
    """Return the distance to the ribbon: a box whose lower edge is notched."""
    box = rounded(x, y, 30, 62, 6)
    notch = (y - 62) + 30 - abs(x) * 1.0
    return max(box, notch)


def blend(under: Colour, over: Colour, distance: float) -> Colour:
    """Lay a colour over another where the distance is negative, with one pixel of soft edge."""
    share = min(1.0, max(0.0, 0.5 - distance))
    return tuple(u + (o - u) * share for u, o in zip(under, over, strict=True))  # type: ignore[return-value]


def pixel(x: float, y: float) -> tuple[int, int, int, int]:
    """Return red, green, blue and alpha of one pixel."""
    cx, cy = x - SIZE / 2, y - SIZE / 2
    down = y / SIZE
    colour: Colour = tuple(  # type: ignore[assignment]
        top + (bottom - top) * down for top, bottom in zip(GROUND_TOP, GROUND_BOTTOM, strict=True)
    )
    for up, shrink, card in CARDS:
        colour = blend(colour, card, rounded(cx, cy - 36 + up, 150 - shrink, 104, 26))
    colour = blend(colour, BOOKMARK, bookmark(cx - 84, cy + 12))
    for row, width in ((-8, 56), (28, 56), (76, 108)):
        left = cx + 112 - width
        colour = blend(colour, LINES, rounded(left, cy - row - 8, width, 9, 9))
    alpha = min(1.0, max(0.0, 0.5 - rounded(cx, cy, SIZE / 2, SIZE / 2, 112)))
    red, green, blue = (round(part) for part in colour)
    return red, green, blue, round(alpha * 255)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Frame one chunk of a PNG file (W3C PNG specification, section 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> None:
    """Write the icon."""
    rows = (
        b"\0" + b"".join(bytes(pixel(x + 0.5, y + 0.5)) for x in range(SIZE)) for y in range(SIZE)
    )
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    parts = (
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
        chunk(b"IEND", b""),
    )
    TARGET.write_bytes(b"".join(parts))


if __name__ == "__main__":
    main()
