"""Fields that no format reads: those that would change what a row means, and those that carry no meaning.

People add names to the tables: without signs and in lower case, so that `kto_tag` and `ktoTag` are `ktotag`.
"""

import functools
import re
from typing import Any

from stages.reading.flags import FLAGS

JUDGES, INSTRUCTS, IS_ABOUT, REASONS = (
    "a judgement of an answer", "an instruction beside the question", "a text that the question is about",
    "the reasoning before an answer",
)  # fmt: skip
BESIDE_QUESTIONS = (INSTRUCTS, IS_ABOUT)
HELD_BY = {INSTRUCTS: "system", IS_ABOUT: "context", REASONS: "reasoning_content"}  # fields to map such to
TEXTS = (*HELD_BY,)  # what rows may repeat elsewhere, and then have not lost
PRAISES = (  # flags that find an answer good; only one that says no changes what a row means
    "correct", "iscorrect", "safe", "issafe", "accepted", "isaccepted", "approved", "isapproved", "valid", "isvalid",
    "passed", "ispassed", "verdict", "factual", "isfactual", "grounded", "isgrounded", "faithful", "isfaithful",
    "isgood", "ishelpful", "success", "reviewresult",
)  # fmt: skip
BLAMES = (  # flags that find an answer bad
    "incorrect", "isincorrect", "wrong", "iswrong", "isbad", "unsafe", "isunsafe", "toxic", "istoxic", "harmful",
    "isharmful", "flagged", "isflagged", "hallucination", "hallucinated", "ishallucination", "hashallucination",
    "ishallucinated", "failed", "isfailed", "spam", "isspam",
)  # fmt: skip
CHANGES_MEANING = {  # what a field says -> its names, at any depth
    "a weight or a mask of what is trained on": (
        "weight", "weights", "train", "trainable", "training", "traindetail", "trainingdetail", "loss", "lossmask",
        "lossweight", "mask", "masked", "sampleweight", "trained",
    ),
    JUDGES: (
        "rating", "ratings", "label", "labels", "score", "scores", "ktotag", "feedback", "reward", "rewards", "vote",
        "votes", "thumbs", "liked", "preference", "overallscore", "qualityscore", "chosenscore", "scorechosen",
        "rejectedscore", "scorerejected", "chosenrating", "rejectedrating", "quality", "helpfulness", "correctness",
        "answerscore", "responsescore", "overallpreference", "preferencestrength", "winner", "tie", "rank", "judgement",
        "judgment", *PRAISES, *BLAMES,
    ),
    "an answer that was rejected, or preferred": (
        "rejected", "rejectedresponse", "rejectedresponses", "rejectedanswer", "rejectedoutput", "rejectedmessages",
        "chosen", "chosenresponse", "dispreferred", "preferred", "incorrectanswer", "incorrectanswers", "wronganswer",
        "wronganswers", "badanswer", "badresponse", "badoutput", "worseanswer", "worseresponse", "hallucinatedanswer",
    ),
    "an answer that was cut off, or withdrawn": (
        "finishreason", "stopreason", "truncated", "istruncated", "deleted", "isdeleted", "removed", "isremoved",
        "withdrawn", "retracted",
    ),
    REASONS: (
        "reasoning", "reasoningcontent", "reasoningdetails", "reasoningtrace", "reasoningsteps", "thinking",
        "thinkingblocks", "thinkingtrajectory", "thinkingtrajectories", "thinkcontent", "think", "thought", "thoughts",
        "cot", "complexcot", "longcot", "chainofthought", "rationale", "rationales", "scratchpad", "solutionsteps",
        "deepseekreasoning",
    ),
    "a system prompt": (
        "system", "systemprompt", "systemmessage", "systeminstruction", "systeminstructions", "developer",
        "developermessage", "developerprompt", "instructions",
    ),
    INSTRUCTS: (
        "persona", "roleprompt", "constraints", "constraint", "targetlang", "targetlanguage", "tgtlang",
        "formatinstructions", "outputformat", "outputschema", "responseformat", "rubric", "guidelines",
    ),
    IS_ABOUT: (
        "context", "contexts", "passage", "passages", "paragraph", "paragraphs", "story", "excerpt", "evidence",
        "document", "documents", "article", "articles", "sqlcontext", "dbschema",
    ),
    "an image, a sound or a film": (
        "image", "images", "imageurl", "imageurls", "imagepath", "imagepaths", "imagefile", "picture", "pictures",
        "pixelvalues", "audio", "audios", "audiopath", "inputaudio", "video", "videos", "videopath",
    ),
    "tools and their calls": (
        "tools", "tool", "functions", "toolcalls", "functioncall", "functioncalls", "toolschemas", "availabletools",
    ),
}  # fmt: skip
NO_MEANING = {  # kind -> names
    "ids": (
        "id", "ids", "idx", "index", "uid", "uuid", "guid", "rowid", "recordid", "sampleid", "exampleid", "questionid",
        "promptid", "answerid", "responseid", "messageid", "conversationid", "dialogueid", "dialogid", "sessionid",
        "threadid", "parentid", "taskid", "docid", "documentid", "sourceid", "userid", "annotatorid", "workerid",
        "requestid", "signature", "thoughtsignature", "hash", "contenthash", "sha256", "md5", "unnamed0", "indexlevel0",
    ),
    "where a record comes from": (
        "source", "sources", "origin", "dataset", "datasetname", "datasource", "subset", "url", "urls", "uri", "link",
        "file", "filename", "filepath", "path", "page", "line", "author", "authors", "annotator", "license", "licence",
        "copyright", "model", "modelname", "modelid", "generator", "generationmodel", "generatedby", "version",
        "object", "systemfingerprint", "servicetier",
    ),
    "dates": (
        "date", "datetime", "time", "timestamp", "timestamps", "created", "createdat", "createdtime", "creationdate",
        "updated", "updatedat", "modified", "modifiedat", "lastmodified",
    ),
    "counts of what the row itself has": (
        "numturns", "turncount", "numtokens", "tokens", "tokencount", "ntokens", "numwords", "numchars", "wordcount",
        "charcount", "length", "usage", "prompttokens", "completiontokens", "totaltokens",
    ),
}  # fmt: skip
FINISHED = (  # reasons why a model stopped that find the answer whole
    "stop", "end_turn", "stop_sequence", "eos", "eos_token", "tool_calls", "tool_call", "tool_use", "function_call",
    "completed", "complete",
)  # fmt: skip
SO = (
    *(word for word, says_yes in FLAGS.items() if says_yes), "correct", "right", "good", "safe", "accepted", "accept",
    "approved", "valid", "pass", "passed", "ok",
)  # fmt: skip
NOT_SO = tuple(word for word, says_yes in FLAGS.items() if not says_yes)
SWITCHES = frozenset(  # values of names of reasoning that say whether there is some, or how much
    (*FLAGS, "on", "off", "enabled", "disabled", "none", "auto", "low", "medium", "high")
)
HARMLESS_VALUES = {  # name that changes meaning -> the values, in lower case, with which it does not
    **dict.fromkeys(CHANGES_MEANING["an answer that was cut off, or withdrawn"], NOT_SO),
    **dict.fromkeys(("finishreason", "stopreason"), FINISHED),
    "thought": NOT_SO,  # Gemini: whether a part is reasoning
    **dict.fromkeys(PRAISES, SO),
    **dict.fromkeys(BLAMES, (*NOT_SO, "none")),
    "rank": ("0", "1", "0.0", "1.0"),  # the best answer, wherever ranks begin
}
BAD_VALUES = dict.fromkeys(  # names of unknown meaning -> the values, in lower case, with which they judge an answer
    ("status", "state", "outcome", "result", "decision", "review", "reviewstatus", "grade", "evaluation"),
    ("rejected", "reject", "failed", "fail", "failure", "declined", "discarded", "disapproved", "invalid", "incorrect",
     "wrong", "bad", "unsafe", "flagged", "spam"),
)  # fmt: skip
IN_WORDS = frozenset(  # names that change meaning as texts of several words only: one is a code, or a file's name
    ("constraints", "constraint", "rubric", "guidelines", "passages", "paragraph", "paragraphs", "evidence", "document",
     "documents", "article", "articles")
)  # fmt: skip
LAST_WORDS = {  # what a text of PROSE_WORDS or more says -> the last words of its names
    REASONS: ("reasoning", "thinking", "thought", "thoughts", "cot", "rationale"),
    INSTRUCTS: ("style", "tone", "format", "persona", "role", "constraints", "guidelines"),
    IS_ABOUT: ("context", "passage", "paragraph", "document", "article", "evidence"),
}
PROSE_WORDS = 7  # of a text that is more than an id, a source or a date, whatever its field's name
NUMBER = re.compile(r"\s*[-+]?[\d.,]+\s*")
# One word of ASCII, as other scripts may write sentences without spaces; or `length:number of words`.
CODE = re.compile(r"\s*([!-~]*|[a-z_ ]+:[a-z_ ]+)\s*")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")  # two are about a word
SIGNS = re.compile(r"[\W_]+")
_CHANGED = {name: what for what, names in CHANGES_MEANING.items() for name in names}
_NONE = frozenset(name for names in NO_MEANING.values() for name in names)
_COUNTS = frozenset(NO_MEANING["counts of what the row itself has"])
_LAST_WORDS = {word: what for what, words in LAST_WORDS.items() for word in words}


def meaning(path: str, value: Any) -> str | None:
    """What a field changes in what a row means, "" for a field of unknown meaning, None for a value without one."""
    names, name, word = _names(path), _last_name(path), str(value).strip().lower()
    is_prose = isinstance(value, str) and _is_prose(value)
    for given in names:
        what = _CHANGED.get(given)
        if what and not (
            is_code(given, value)
            or word in HARMLESS_VALUES.get(given, ())
            or (what == REASONS and given not in HARMLESS_VALUES and is_switch(value))
            or (what in BESIDE_QUESTIONS and name in _NONE and not is_prose)
        ):
            return what
    if word in BAD_VALUES.get(name, ()):
        return JUDGES
    if is_prose:
        return _LAST_WORDS.get(_last_word(path), "")
    if name in _NONE:
        return "" if isinstance(value, str) and name in _COUNTS and not NUMBER.fullmatch(value) else None
    return None if word in HARMLESS_VALUES.get(name, ()) else ""


def is_code(name: str, value: Any) -> bool:
    """True for no text of several words, under a name that changes meaning as such a text only."""
    return plain(name) in IN_WORDS and (not isinstance(value, str) or CODE.fullmatch(value) is not None)


def plain(name: str) -> str:
    """A name as the tables here have it."""
    return SIGNS.sub("", name).lower()


@functools.lru_cache(4096)
def depends_on_value(path: str) -> bool:
    """True if the meaning of a field depends on its value."""
    name = _last_name(path)
    return (
        name in _NONE or name in BAD_VALUES or _last_word(path) in _LAST_WORDS
        or any(name in HARMLESS_VALUES or name in IN_WORDS or _CHANGED.get(name) == REASONS for name in _names(path))
    )  # fmt: skip


def is_switch(value: Any) -> bool:
    """True for a value of a name of reasoning that is none, but turns it on or off."""
    return value is not None and str(value).strip().lower() in SWITCHES


def changed_meaning(path: str) -> str:
    """What a field says by one of the names of its path, if rows without it would mean something else; else ""."""
    return next((_CHANGED[name] for name in _names(path) if name in _CHANGED), "")


def has_meaning(path: str) -> bool:
    """False if the last name of a field's path is known to carry no meaning, and none to change that of rows.

    Names before it tell nothing: `source.text` may be what a question is about.
    """
    return bool(changed_meaning(path)) or _last_name(path) not in _NONE


def _is_prose(text: str) -> bool:
    return text.count(" ") + 1 + len(UNSPACED.findall(text)) // 2 >= PROSE_WORDS or "\n" in text.strip()


def _last_name(path: str) -> str:
    return next(filter(None, reversed(_names(path))), "")


def _last_word(path: str) -> str:
    return next(reversed(WORD.findall(path)), "").lower()


def _names(path: str) -> list[str]:
    return [plain(name) for name in path.split(".")]
