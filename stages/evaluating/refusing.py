"""Whether an answer refuses: it begins as refusals in English do, whatever it says after that.

So a lecture that goes on to say what to do instead refuses too. `clean` drops fewer, those that say nothing but no, by
words that `params.yaml` declares. These here are no parameter, so that figures of two projects compare.
"""

import re

from stages.answers.reply import Reply

MODEL = r"an? (?:ai|(?:large )?language model)(?: (?:language )?model| assistant)?"
OPENINGS = (
    r"(?:i'm|i am|we're|we are)(?: so| very| really| deeply)? (?:sorry|afraid)|sorry|unfortunately|i apologi[sz]e"
    rf"|my apologies|as {MODEL}|i(?:'m| am)(?: just| only)? {MODEL}"
)
UNABLE = (
    r"(?:i |and )?(?:can't|cannot|can not|won't|will not)"
    r"|(?:i'm|i am|and am|am)(?: not able| unable| not allowed| not going| not willing| programmed not) to"
)
ACTS = (
    r"help|assist|answer|respond|comply|fulfill?|discuss|engage|participate|support|encourage|condone|promote"
    r"|provide|offer|share|give|write|create|generate|produce|process|continue|do th(?:at|is)|talk about|recommend that"
    r"|have (?:personal )?(?:opinions|an opinion|beliefs|feelings)"
)
LACKS = r"i (?:don't|do not) have (?:access|the ability|(?:an |any )?(?:personal )?(?:opinion|belief|feeling)s?)\b"
DECLINES = (
    r"i (?:must|have to|will have to) (?:respectfully )?(?:decline|refuse)|i(?:'m| am) going to have to decline"
    r"|i(?:'m| am) not comfortable|i (?:don't|do not) (?:feel comfortable|condone)"
    r"|(?:it|that|this)(?:'s| is) not (?:appropriate for me|something (?:that )?i can)"
    r"|this is something (?:that )?i can't"
)
NO_HELP = r"(?! but (?:notice|wonder|smile|think|feel))"  # after `can't help`: nothing is refused
REFUSAL = re.compile(
    rf"(?:(?:{OPENINGS})[,;:.!]?\s+(?:(?:but|and|that)\s+)?)*"
    rf"(?:(?:{UNABLE})(?:\s+\w+ly)?\s+(?:{ACTS})\b{NO_HELP}|(?:{UNABLE})[.!]*\Z|{LACKS}|{DECLINES})"
)


def refuses(reply: Reply) -> bool:
    """True for an answer in words that begins as refusals do. Case, and the kind of apostrophes, do not count."""
    return not reply.calls and bool(REFUSAL.match(reply.text.casefold().replace("’", "'").strip()))
