"""Build the icon sprite from released Tabler outline icons: ``python tools/icon_sprite.py FOLDER_OF_SVG``.

The folder is ``icons/outline`` of the npm package @tabler/icons (MIT). Only the icons named here are shipped.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

NAMES = """
access-point activity alert-triangle ambulance arrow-back-up arrow-down arrow-up arrows-exchange baby-carriage bell
building-hospital calendar-event calendar-plus cash certificate chart-bar check checklist chevron-down chevron-left
chevron-right circle-check circle-x clipboard-list clock cloud-check cloud-off cloud-upload coin copy database
device-desktop download droplet edit external-link eye file-certificate file-export file-invoice file-text filter
flask folder-open hand-stop heartbeat help-circle history home id info-circle key language list-check list-details
loader lock logout lungs mail-fast microscope mood-kid moon paperclip pencil phone pill player-pause plug-connected
plug-connected-x plus printer progress qrcode radioactive receipt refresh report-analytics report-medical report-money
ruler-2 scale scan search send settings shield-check shield-x shield-question signature stack-2 star stethoscope sun
temperature test-pipe transfer trash urgent user user-check user-plus users vaccine volume wheelchair writing x
""".split()  # noqa: SIM905 - a list of names is read as a text
TARGET = Path(__file__).resolve().parents[1] / "his" / "core" / "static" / "icons" / "sprite.svg"


def main(folder: Path) -> None:
    """Write the sprite; names that the release does not have are reported."""
    symbols = []
    for name in sorted(set(NAMES)):
        path = folder / f"{name}.svg"
        if not path.is_file():
            print(f"no icon {name}", file=sys.stderr)
            continue
        body = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text("utf-8"), re.DOTALL)
        if body is None:
            continue
        inner = re.sub(r"\s+", " ", body.group(1)).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><!-- Tabler Icons, MIT -->' + "".join(symbols) + "</svg>\n", "utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
