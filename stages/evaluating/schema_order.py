"""The order in which the fields of an answer are written that a JSON Schema binds."""

from typing import Any


def in_order(schema: Any) -> Any:
    """The schema with `properties` in the order of `required`, then the others as they are.

    Grammars write fields in the order of `properties`, which a stage cannot know: parameters come sorted by name.
    """
    if isinstance(schema, list):
        return [in_order(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    ordered = {name: in_order(inner) for name, inner in schema.items()}
    required, properties = ordered.get("required"), ordered.get("properties")
    if isinstance(required, list) and isinstance(properties, dict):
        first = [name for name in required if name in properties]
        ordered["properties"] = {name: properties[name] for name in dict.fromkeys([*first, *properties])}
    return ordered
