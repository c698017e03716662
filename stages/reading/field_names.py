"""Fields that no format reads: those that would change what a row means, and those that carry no meaning.

People add names to the tables: without signs and in lower case, so that `kto_tag` and `ktoTag` are `ktotag`.
"""

import functools
import re
from typing import Any

from stages.reading.flags import FLAGS

CHANGES_MEANING = {  # what a field says -> its names, at any depth
    "a weight or a mask of what is trained on": (
        "weight", "weights", "train", "trainable", "training", "traindetail", "trainingdetail", "loss", "lossmask",
        "lossweight", "mask", "masked", "sampleweight", "trained",
    ),
    "a judgement of an answer": (
        "rating", "ratings", "label", "labels", "score", "scores", "ktotag", "feedback", "reward", "rewards", "vote",
        "votes", "thumbs", "liked", "preference", "overallscore", "qualityscore", "chosenscore", "scorechosen",
        "rejectedscore", "scorerejected", "chosenrating", "rejectedrating", "quality", "helpfulness", "correctness",
        "correct", "iscorrect", "answerscore", "responsescore", "overallpreference", "preferencestrength", "winner",
        "tie",
    ),
    "an answer that was rejected, or preferred": (
        "rejected", "rejectedresponse", "rejectedresponses", "rejectedanswer", "rejectedoutput", "rejectedmessages",
        "chosen", "chosenresponse", "dispreferred", "preferred", "incorrectanswer", "incorrectanswers", "wronganswer",
        "wronganswers", "badanswer", "badresponse", "badoutput",
    ),
    "an answer that was cut off, or withdrawn": (
        "finishreason", "stopreason", "truncated", "istruncated", "deleted", "isdeleted", "removed", "isremoved",
        "withdrawn", "retracted",
    ),
    "the reasoning before an answer": (
        "reasoning", "reasoningcontent", "reasoningdetails", "thinking", "thinkingblocks", "thought", "thoughts", "cot",
        "chainofthought", "rationale",
    ),
    "a system prompt": (
        "system", "systemprompt", "systemmessage", "systeminstruction", "systeminstructions", "developer",
        "developermessage",
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
NOT_SO = tuple(word for word, says_yes in FLAGS.items() if not says_yes)
HARMLESS_VALUES = {  # name that changes meaning -> the values, in lower case, with which it does not
    **dict.fromkeys(CHANGES_MEANING["an answer that was cut off, or withdrawn"], NOT_SO),
    **dict.fromkeys(("finishreason", "stopreason"), FINISHED),
    "thought": NOT_SO,  # Gemini: whether a part is reasoning
}
PROSE_WORDS = 7  # of a text that is more than an id, a source or a date, whatever its field's name
NUMBER = re.compile(r"\s*[-+]?[\d.,]+\s*")
SIGNS = re.compile(r"[\W_]+")
_CHANGED = {name: what for what, names in CHANGES_MEANING.items() for name in names}
_NONE = frozenset(name for names in NO_MEANING.values() for name in names)
_COUNTS = frozenset(NO_MEANING["counts of what the row itself has"])


def meaning(path: str, value: Any) -> str | None:
    """What a field changes in what a row means, "" for a field of unknown meaning, None for a value without one."""
    what, name = changed_meaning(path), _last_name(path)
    if what:
        return None if str(value).strip().lower() in HARMLESS_VALUES.get(name, ()) else what
    if name not in _NONE:
        return ""
    is_text = isinstance(value, str)
    return "" if is_text and (_is_prose(value) or (name in _COUNTS and not NUMBER.fullmatch(value))) else None


@functools.lru_cache(4096)
def depends_on_value(path: str) -> bool:
    """True if the meaning of a field depends on its value."""
    name = _last_name(path)
    return name in _NONE or name in HARMLESS_VALUES


def changed_meaning(path: str) -> str:
    """What a field says by one of the names of its path, if rows without it would mean something else; else ""."""
    return next((_CHANGED[name] for name in _names(path) if name in _CHANGED), "")


def has_meaning(path: str) -> bool:
    """False if the last name of a field's path is known to carry no meaning, and none to change that of rows.

    Names before it tell nothing: `source.text` may be what a question is about.
    """
    return bool(changed_meaning(path)) or _last_name(path) not in _NONE


def _is_prose(text: str) -> bool:
    return text.count(" ") + 1 >= PROSE_WORDS or "\n" in text.strip()


def _last_name(path: str) -> str:
    return next(filter(None, reversed(_names(path))), "")


def _names(path: str) -> list[str]:
    return [SIGNS.sub("", name).lower() for name in path.split(".")]
