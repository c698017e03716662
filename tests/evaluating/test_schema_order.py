"""Fields of bound answers come in the order of `required`, at any depth; the schema says the same."""

from stages.evaluating.schema_order import in_order


def test_required_fields_come_first_in_their_order_then_the_others() -> None:
    schema = {"properties": {"a": {}, "b": {}, "c": {}, "d": {}}, "required": ["d", "b"], "type": "object"}

    ordered = in_order(schema)

    assert list(ordered["properties"]) == ["d", "b", "a", "c"]
    assert ordered == schema


def test_inner_schemas_are_ordered_too() -> None:
    inner = {"properties": {"x": {}, "y": {}}, "required": ["y", "x"]}

    ordered = in_order({"anyOf": [{"items": inner}], "properties": {"of": inner}})

    assert list(ordered["anyOf"][0]["items"]["properties"]) == ["y", "x"]
    assert list(ordered["properties"]["of"]["properties"]) == ["y", "x"]


def test_a_field_that_is_named_as_a_keyword_is_a_field() -> None:
    schema = {
        "properties": {"properties": {"type": "string"}, "required": {"type": "string"}},
        "required": ["required"],
    }

    assert list(in_order(schema)["properties"]) == ["required", "properties"]
    assert in_order(schema) == schema


def test_required_fields_that_have_no_schema_are_left_to_the_grammar() -> None:
    assert in_order({"required": ["z"], "properties": {"a": True}}) == {"required": ["z"], "properties": {"a": True}}
