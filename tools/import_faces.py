"""Import contract: modules meet only at their public files (a contract type for import-linter)."""

from __future__ import annotations

from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class FacesContract(Contract):
    """Each import across a module line goes to one of the module's faces (service, queries, models …)."""

    root = fields.StringField()
    faces = fields.StringField()
    composition = fields.StringField(default="")
    open = fields.StringField(default="")

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Collect imports that miss the faces."""
        bad = []
        for importer in sorted(graph.find_descendants(self.root)):
            here = importer.split(".")[1]
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                root, there, file, *_ = [*imported.split("."), "", ""]
                if root != self.root or there in (here, *self.open.split()):
                    continue
                if here not in self.composition.split() and file not in self.faces.split():
                    bad.append(f"{importer} -> {imported}")
        return ContractCheck(kept=not bad, metadata={"bad": bad})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each wrong import on a line."""
        for line in check.metadata["bad"]:
            output.print_error(line)
