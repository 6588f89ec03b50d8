"""PyTorch and ONNX are imported by the two files that run or write a network, inside functions, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contrechamp", "synthetic_data", "ingest", "models", "fairness", "dashboard", "dags")
#: Library → files that may import it. Video and sound have their own rules.
ALLOWED = {
    "torch": {"models/st_net_layers.py"},
    "onnx": {"models/st_net_onnx.py"},
    "onnxruntime": set(),
}


def _imports(tree: ast.AST, *, deep: bool) -> set[str]:
    """First names imported: anywhere, or only when the module itself is imported."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif deep or not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _typing_only(node)):
            found |= _imports(node, deep=deep)
    return found


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_networks_are_imported_where_they_are_run_and_only_then() -> None:
    seen: set[str] = set()
    for path in (p for package in PACKAGES for p in (ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for library in _imports(tree, deep=True) & set(ALLOWED):
            assert name in ALLOWED[library], f"{name} imports {library}"
            seen.add(name)
        assert not _imports(tree, deep=False) & set(ALLOWED), f"{name} imports it as soon as it is imported"
    assert seen == {"models/st_net_layers.py", "models/st_net_onnx.py"}
