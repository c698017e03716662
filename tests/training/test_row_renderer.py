"""Rendering rows: nothing that a row says is lost, and the loss sees the assistant's words and their end."""

from pathlib import Path

import pytest

from modelmake import params
from stages.base import CHAT_TEMPLATE
from stages.rows.row import Function, Message, ToolCall
from stages.training.row_renderer import Rendering, RowRenderer
from tests.tiny_models import TEMPLATE, build_tokenizer

ROOT = Path(__file__).parents[2]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": 'Looks "up"',
            "parameters": {
                "type": "object",
                "properties": {"town": {"type": "string"}, "unit": {"enum": ["C", "F"], "default": "007"}},
                "required": ["town"],
            },
        },
    }
]
ASK = Message("user", "Rain in Ulm?")
CALL = Message("assistant", "", [ToolCall(Function("weather", {"town": "Ulm\n", "days": 5, "now": True}), "function")])
RESULT = Message("tool", 'dry, "17"', name="weather")
ANSWER = Message("assistant", "No.")
THOUGHT = Message("assistant", "No.", reasoning_content="It is dry.")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(folder, bos_token="<|bos|>")
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def render(tokenizer):
    """Renders turns, the last of which is the answer, with a template."""

    def rendered(template: str, turns: list[Message], tools=(), loss="assistant", omit=()) -> Rendering:
        tokenizer.chat_template = template
        stop = next(s for s in ("<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end|>") if s in template)
        return RowRenderer(tokenizer, loss, [stop], list(omit)).render(turns[:-1], turns[-1:], list(tools))

    return rendered


def trained(rendering: Rendering) -> list[str]:
    assert rendering.losses == []
    return [rendering.text[start:end] for start, end in rendering.trained]


def test_the_loss_sees_the_words_of_the_assistant_and_their_end(render) -> None:
    call = '<tool_call>\n{"name": "weather", "arguments": {"town": "Ulm\\n", "days": 5, "now": true}}\n</tool_call>'

    assert trained(render(CHAT_TEMPLATE, [ASK, CALL, RESULT, ANSWER], TOOLS)) == [f"{call}<|end|>", "No.<|end|>"]
    assert trained(render(CHAT_TEMPLATE, [ASK, THOUGHT])) == ["<think>\nIt is dry.\n</think>\n\nNo.<|end|>"]


def test_of_a_prompt_with_an_answer_the_loss_sees_the_answer_alone(render) -> None:
    rendering = render(CHAT_TEMPLATE, [ASK, CALL, RESULT, ANSWER], TOOLS, loss="answer")

    assert trained(rendering) == ["No.<|end|>"]
    assert rendering.text[: rendering.answer].endswith("<|assistant|>")


def test_the_loss_sees_no_turn_that_is_not_to_be_trained(render) -> None:
    turns = [ASK, Message("assistant", "Yes.", train=False), ASK, ANSWER]

    assert trained(render(CHAT_TEMPLATE, turns)) == ["No.<|end|>"]
    assert render(CHAT_TEMPLATE, turns, loss="all").losses == [
        ("turns that are not to be trained: want assistant_only_loss = True", "")
    ]
    assert trained(render(CHAT_TEMPLATE, [ASK, ANSWER, ASK, Message("assistant", "x", train=False)])) == ["No.<|end|>"]


def test_a_newline_after_the_end_token_and_one_of_the_prompt_are_not_learnt(render) -> None:
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}{% if m.role == 'assistant' %}"
        "{% generation %}{{ '\n' + m.content }}<|im_end|>{{ '\n' }}{% endgeneration %}"
        "{% else %}{{ '\n' + m.content }}<|im_end|>{{ '\n' }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}"
    )

    assert trained(render(template, [ASK, ANSWER, ASK, ANSWER])) == ["No.<|im_end|>"] * 2


def test_one_more_end_token_in_a_block_of_its_own_is_learnt(render) -> None:
    """As in Phi-3."""
    template = TEMPLATE + "{% if not add_generation_prompt %}{% generation %}<|end|>{% endgeneration %}{% endif %}"

    assert trained(render(template, [ASK, ANSWER, ASK, ANSWER])) == ["No.<|end|>", "No.<|end|>", "<|end|>"]


@pytest.mark.parametrize("loss", ["assistant", "answer", "all"])
def test_a_template_that_prints_content_only_loses_calls_reasoning_and_tools(render, loss: str) -> None:
    lost = render(TEMPLATE, [ASK, CALL], TOOLS, loss).losses
    assert {said for said, _ in lost} == {"tool_calls is not rendered", "tools is not rendered"}
    assert {text for _, text in lost} == {
        "weather", "town", "Ulm\n", "days", "5", "now", 'Looks "up"', "unit", "C", "F", "007",
    }  # fmt: skip
    assert ("reasoning_content is not rendered", "It is dry.") in render(TEMPLATE, [ASK, THOUGHT], loss=loss).losses
    assert render(TEMPLATE, [ASK, ANSWER], loss=loss).losses == []


def test_a_field_that_may_be_left_out_is_named_and_loses_no_row(render) -> None:
    rendering = render(TEMPLATE, [ASK, THOUGHT], TOOLS, omit=["reasoning_content", "tools"])

    assert trained(rendering) == ["No.<|end|>"]
    assert rendering.omitted == {"reasoning_content", "tools"}
    assert render(CHAT_TEMPLATE, [ASK, THOUGHT], TOOLS, omit=["reasoning_content", "tools"]).omitted == set()


MARKED = "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"


@pytest.mark.parametrize(
    ("old", "new", "loss"),
    [
        (MARKED, "{{ m.content }}{% generation %}<|end|>{% endgeneration %}", "outside its {% generation %} block"),
        (MARKED, "{% generation %}{{ m.content }}{% endgeneration %}<|end|>", "generation stops at '<|end|>'"),
        (MARKED, "{% generation %}{{ m.content }}<|pad|>{% endgeneration %}", "end with '<|pad|>', but generation"),
        (MARKED, "x" + MARKED, "does not follow the generation prompt, which ends with"),
        ("<|{{ m.role }}|>", "{% generation %}<|{{ m.role }}|>{% endgeneration %}", "around each assistant turn"),
        ("{{ m.content }}<|end|>{% endif %}", "<|end|>{% endif %}", "content is not rendered"),
        ("{{ m.content }}", "{{ m.content | upper }}", "content is not rendered"),
        ("{{ m.content }}", "{{ m.content if m.content != 'No.' else 'Yes.' }}", "content is not rendered as it is"),
        ("{% for", "{{ raise_exception('no luck') }}{% for", "the chat template refuses it: no luck"),
    ],
    ids=["outside", "end outside", "another end", "no prompt", "too much", "no user", "changed", "by value", "refused"],
)  # fmt: skip
def test_a_template_that_loses_or_marks_wrongly_is_told(render, old: str, new: str, loss: str) -> None:
    assert old in TEMPLATE

    assert loss in render(TEMPLATE.replace(old, new), [ASK, ANSWER]).losses[0][0]


def test_every_token_is_trained_only_if_an_end_token_follows(render) -> None:
    assert trained(render(TEMPLATE, [ASK, ANSWER], loss="all")) == [
        "<|user|>Rain in Ulm?<|end|><|assistant|>No.<|end|>"
    ]
    endless = TEMPLATE.replace("{% generation %}{{ m.content }}<|end|>", "{% generation %}{{ m.content }}")
    assert "generation stops at '<|end|>'" in render(endless, [ASK, ANSWER], loss="all").losses[0][0]


@pytest.mark.parametrize("loss", ["assistant", "answer", "all"])
def test_words_to_learn_that_hold_an_end_token_are_told(render, loss: str) -> None:
    early = [("content holds '<|end|>', at which generation stops: mend or drop such rows", "a<|end|>b")]
    broken, unseen = Message("assistant", "a<|end|>b"), Message("assistant", "a<|end|>b", train=False)

    assert render(TEMPLATE, [ASK, broken], loss=loss).losses == early
    assert render(TEMPLATE, [ASK, broken, ASK, ANSWER], loss=loss).losses == ([] if loss == "answer" else early)
    assert render(TEMPLATE, [Message("user", "a<|end|>b"), ANSWER], loss=loss).losses == []
    if loss == "assistant":
        assert render(TEMPLATE, [ASK, unseen, ASK, ANSWER]).losses == []
    call = Message("assistant", "", [ToolCall(Function("weather", {"town": "<|end|>"}), "function")])
    assert [text for _, text in render(CHAT_TEMPLATE, [ASK, call], TOOLS, loss).losses] == ["<|end|>"]


def test_white_space_is_content_in_arguments_and_may_be_stripped_around_words(render) -> None:
    stripped = CHAT_TEMPLATE.replace("{{- message.content }}", "{{- message.content | trim }}")

    assert trained(render(stripped, [ASK, Message("assistant", " No.\n")])) == ["No.<|end|>"]
    no_newline = CHAT_TEMPLATE.replace(
        "call.function.arguments | tojson", "(call.function.arguments | tojson).replace('\\\\n', '')"
    )
    assert no_newline != CHAT_TEMPLATE
    assert render(no_newline, [ASK, CALL], TOOLS).losses == [("tool_calls is not rendered as it is", "Ulm\n")]


def test_qwen3_loses_the_reasoning_of_earlier_turns(render) -> None:
    import trl

    original = (Path(trl.__file__).parent / "chat_templates/qwen3.jinja").read_text("utf-8")

    assert trained(render(original, [ASK, ANSWER, ASK, THOUGHT], loss="answer")) == [
        "<think>\nIt is dry.\n</think>\n\nNo.<|im_end|>"
    ]
    earlier = render(original, [ASK, THOUGHT, ASK, ANSWER], loss="answer")
    assert earlier.losses == [("reasoning_content is not rendered", "It is dry.")]
    written = Message("assistant", "<think>It is dry.</think>No.")
    assert (
        render(original, [ASK, written, ASK, ANSWER], loss="answer").losses[0][0] == "content is not rendered as it is"
    )


def templates() -> dict[str, str]:
    recipes = {
        name: params.load(ROOT / f"recipes/{name}.yaml")["base"]["chat_template"]
        for name in ("llama3_1_8b", "qwen3_0_6b", "smollm2_135m")
    }
    documented = (ROOT / "docs/models.md").read_text("utf-8").split("```jinja\n")[1].split("```")[0]
    return {"base": CHAT_TEMPLATE, "docs/models.md": documented, **recipes}


@pytest.mark.parametrize("name", templates())
def test_the_templates_here_render_tools_calls_and_results_and_mark_calls(render, name: str) -> None:
    rendering = render(templates()[name], [Message("system", "Be short."), ASK, CALL, RESULT, ANSWER], TOOLS)

    call, answer = trained(rendering)
    assert '{"name": "weather", ' in call and '{"town": "Ulm\\n", "days": 5, "now": true}' in call
    assert answer.startswith("No.")


@pytest.mark.parametrize("name", ["base", "docs/models.md", "smollm2_135m"])
def test_the_templates_here_render_reasoning(render, name: str) -> None:
    assert trained(render(templates()[name], [ASK, THOUGHT]))[0].startswith("<think>\nIt is dry.\n</think>\n\nNo.")


def test_templates_that_answer_without_thinking_refuse_reasoning(render) -> None:
    [(loss, _)] = render(templates()["qwen3_0_6b"], [ASK, THOUGHT]).losses
    assert loss.startswith("what is marked does not follow the generation prompt, which ends with")
    assert render(templates()["llama3_1_8b"], [ASK, THOUGHT]).losses == [
        ("reasoning_content is not rendered", "It is dry.")
    ]
