"""The names that people give to fields, by what they hold. People add names; the first of a table goes first.

They are in lower case; `camelCase` and `snake_case` are words. Those of `field_names` are without signs.
"""

from stages.reading.field_names import CHANGES_MEANING, IS_ABOUT, PRAISES, REASONS

ABOUT = CHANGES_MEANING[IS_ABOUT]  # texts of questions, no more
CONTEXT = (
    "body", "context", "passage", "background", "article", "premise", "paragraph", "story", "excerpt", "evidence",
    "document", "support", "table", "schema", "text",
)  # fmt: skip
QUESTION = (
    "question", "prompt", "instruction", "query", "problem", "request", "utterance", "user", "human", "input", "source",
    "title", "sentence", "message", "text", "article", "document", "dialogue", "passage", "question_stem", "ctx",
    "stem", "goal", "startphrase",
)  # fmt: skip
ANSWER = (
    "answer", "completion", "response", "output", "solution", "reply", "target", "assistant", "bot", "sql", "code",
    "summary", "highlights", "translation", "query",
)  # fmt: skip
CHOICES = ("choices", "options", "endings", "alternatives", "candidates")
RIGHT = (
    "answer", "answerkey", "answer_key", "correct", "correct_answer", "correct_option", "gold", "label", "target",
    "cop",
)  # fmt: skip
LISTED_ANSWERS = ("answers",)  # choices if a label tells the right one, as in ReClor; else all of them are right
LABEL = (
    "intent", "label", "category", "class", "sentiment", "topic", "stance", "polarity", "annotation", "emotion",
)  # fmt: skip
CHOSEN = ("chosen", "preferred", "better", "accepted", "winner")
REJECTED = ("rejected", "dispreferred", "worse", "loser")
TURNS = ("conversation", "conversations", "messages", "dialog", "dialogue", "turns", "chat", "history")
CALLS = ("answers", "calls", "tool_calls", "function_calls", "ground_truth", "answer", "output", "response")
SYSTEM = ("system", "system_prompt", "system_message", "instructions", "developer")
REASONING = CHANGES_MEANING[REASONS]
TOOLS = ("tools", "functions", "function", "available_tools")
JUDGED = (*PRAISES, "label", "liked", "good", "thumbsup", "upvoted", "helpful", "desirable", "preferred")  # yes or no
TEXT = ("text", "content", "body", "document", "article", "passage")
SPLIT = ("split", "set", "partition", "subset")
GROUP = ("conversation_id", "dialogue_id", "dialog_id", "session_id", "thread_id", "chat_id", "parent_id")
TWO_TEXTS = (  # a label is given to both: (names of the first, of the second)
    (("premise", "sentence1", "text1", "question1"), ("hypothesis", "sentence2", "text2", "question2")),
    (("target", "aspect", "entity"), ("text", "sentence", "tweet")),
    (("passage", "context", "question"), ("question", "sentence")),
    (("title", "headline", "subject"), ("text", "content", "body")),
)
KNOWN = {*CONTEXT, *QUESTION, *ANSWER, *CHOICES, *LABEL, *CHOSEN, *REJECTED} - set(TEXT)
SAYS_NOTHING = ("text", "value", "content")  # the name of what they are in does
BAD = {"bad", "wrong", "incorrect", "negative", "false", "rejected"}  # words in the name of no answer to learn
MEASURES = {"start", "end", "offset", "index", "idx", "id", "position", "count", "length", "type"}  # of a text, no text
GUESSED = {"suggestion", "suggestions", "prediction", "predictions", "predicted"}  # by a model; nobody said so
OF_A_TURN = {"role", "speaker", "from", "parent_id", "turn", "turn_id"}  # each record is a turn, not a conversation
OF_A_QUESTION = {*CHOICES, *CONTEXT, "choice", "option", "hypothesis", "hint", "distractor"}  # not to be left out
