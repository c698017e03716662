"""Fields that no format reads: those that would change what a row means, and those that carry no meaning.

People add names to the tables: without signs and in lower case, so that `kto_tag` and `ktoTag` are `ktotag`.
"""

import re

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
        "requestid", "hash", "contenthash", "sha256", "md5", "unnamed0", "indexlevel0",
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
SIGNS = re.compile(r"[\W_]+")
_CHANGED = {name: what for what, names in CHANGES_MEANING.items() for name in names}
_NONE = frozenset(name for names in NO_MEANING.values() for name in names)


def changed_meaning(path: str) -> str:
    """What a field says by one of the names of its path, if rows without it would mean something else; else ""."""
    return next((_CHANGED[name] for name in _names(path) if name in _CHANGED), "")


def has_meaning(path: str) -> bool:
    """False if the last name of a field's path is known to carry no meaning, and none to change that of rows.

    Names before it tell nothing: `source.text` may be what a question is about.
    """
    return bool(changed_meaning(path)) or next(filter(None, reversed(_names(path))), "") not in _NONE


def _names(path: str) -> list[str]:
    return [SIGNS.sub("", name).lower() for name in path.split(".")]
