"""Write types.ts from an OpenAPI schema: ``python generate.py schema.json > types.ts``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

WORDS = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean"}


def type_of(shape: dict[str, Any]) -> str:
    """Return a shape as a TypeScript type."""
    found = _type_of(shape)
    return f"{found} | null" if shape.get("nullable") and "enum" not in shape else found


def _type_of(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        return str(shape["$ref"].rpartition("/")[2])
    if "allOf" in shape:
        return " & ".join(map(type_of, shape["allOf"]))
    if "oneOf" in shape:
        return " | ".join(map(type_of, shape["oneOf"]))
    if "enum" in shape:
        return " | ".join(map(json.dumps, shape["enum"]))
    if shape.get("format") == "binary":
        return "Blob"
    if shape.get("type") == "array":
        return f"Array<{type_of(shape['items'])}>"
    return _object(shape) if shape.get("type") == "object" else WORDS[shape["type"]]


def _object(shape: dict[str, Any]) -> str:
    required = shape.get("required", [])
    fields = (
        f"{name}{'' if name in required else '?'}: {type_of(each)}"
        for name, each in shape["properties"].items()
    )
    return "{ " + "; ".join(fields) + " }"


def types_of(schema: dict[str, Any]) -> str:
    """Return the components, and the query of every GET and form of every POST."""
    lines = [
        f"export type {name} = {type_of(shape)};"
        for name, shape in schema["components"]["schemas"].items()
    ]
    for path in schema["paths"].values():
        lines += [f"export type SimilarQuery = {_query(path['get'])};"] if "get" in path else []
        lines += [f"export type PhotoForm = {_form(path['post'])};"] if "post" in path else []
    return "\n".join(["// Made by generate.py from /api/schema/.", *lines, ""])


def _query(operation: dict[str, Any]) -> str:
    asked = [each for each in operation["parameters"] if each["in"] == "query"]
    fields = (f"{each['name']}?: {type_of(each['schema'])}" for each in asked)
    return "{ " + "; ".join(fields) + " }"


def _form(operation: dict[str, Any]) -> str:
    return type_of(operation["requestBody"]["content"]["multipart/form-data"]["schema"])


if __name__ == "__main__":
    sys.stdout.write(types_of(json.loads(Path(sys.argv[1]).read_text())))
