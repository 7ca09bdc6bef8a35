"""What a file says of itself in XMP: that AI made it, and with what (IPTC Photo and Video Metadata).

In an MP4 the packet is one `uuid` box at the end of the file (ISO 14496-12; the id is Adobe's, XMP part 3). Nothing
before it moves. Of any other container it is a file beside it.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from runner.video.mp4_boxes import Box, boxes, uuid_box

# IPTC's digital source types: made by a trained model, and by a plain program, as the clips of the sandbox are.
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ALGORITHMIC = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
SUFFIX = ".xmp"
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@dataclass(frozen=True, slots=True)
class SourceMark:
    """What is said of a clip. The prompt is empty where it is not to be told."""

    title: str
    system: str
    source_type: str = TRAINED
    prompt: str = ""


def packet(mark: SourceMark) -> bytes:
    """The XMP of a mark, UTF-8."""
    said = {
        "Iptc4xmpExt:DigitalSourceType": mark.source_type,
        "Iptc4xmpExt:AISystemUsed": mark.system,
        "xmp:CreatorTool": "reelrun",
    }
    if mark.prompt:
        said["Iptc4xmpExt:AIPromptInformation"] = mark.prompt
    members = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in said.items())
    title = f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{_text(mark.title)}</rdf:li></rdf:Alt></dc:title>'
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"{title}{members}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def _text(value: str) -> str:
    """A text as XML holds it: without the control characters that it has not."""
    return escape("".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in value))


def append(path: Path, content: bytes) -> None:
    """Append a packet to an MP4 file as its one box of XMP. An older one becomes free space, so that nothing moves.

    Raises ValueError for what is no whole MP4, and OSError.
    """
    with path.open("r+b") as file:
        last = None
        for last in boxes(file):
            if last.kind == b"uuid" and last.id == _XMP:
                file.seek(last.start + 4)
                file.write(b"free")
        if last is None:
            raise ValueError("it is no MP4")
        _close(file, last)
        file.seek(0, os.SEEK_END)
        file.write(uuid_box(_XMP, content))


def _close(file: BinaryIO, last: Box) -> None:
    """What reaches to the end of the file ends where it ends now. Raises ValueError if it is too long to say so."""
    if last.is_open:
        if last.size >= 1 << 32:
            raise ValueError("its last box has no room for its size")
        file.seek(last.start)
        file.write(struct.pack(">I", last.size))
