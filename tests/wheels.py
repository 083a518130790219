"""Wheels made on the spot, for models whose environments need a package that no index has."""

import io
import zipfile


def make_wheel(name: str, code: str) -> tuple[str, bytes]:
    """A wheel with one module: its file name and content, the same for the same code."""
    info = f"{name}-1.0.dist-info"
    project = name.replace("_", "-")
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in (*files.items(), (f"{info}/RECORD", record)):
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-1.0-py3-none-any.whl", buffer.getvalue()
