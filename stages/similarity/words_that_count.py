"""Words by which two texts that differ in one word say another thing, and words that do not."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


def _pairs(*lines: str) -> frozenset[tuple[str, ...]]:
    """Pairs, each in alphabetical order."""
    return frozenset(tuple(sorted(pair.split("-"))) for pair in _words(*lines))


NUMBERS = _words(
    # English
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half",
    "quarter third fourth fifth sixth seventh eighth ninth tenth twice thrice double triple dozen",
    # German
    "null zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig vierzig fünfzig sechzig siebzig",
    "achtzig neunzig hundert tausend million halb doppelt",
    # French
    "zéro deux trois quatre cinq sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante",
    "cinquante soixante cent mille demi",
    # Spanish
    "cero dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta cuarenta",
    "cincuenta sesenta setenta ochenta noventa cien ciento mil medio",
)
LIMITS = _words(  # one of them more or less turns a sentence round, or says for what it holds
    # English
    "not no never none nobody nothing nowhere neither nor without cannot hardly barely rarely seldom except unless",
    "only aint arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt neednt shant shouldnt wasnt",
    "werent wont wouldnt",
    # German
    "nicht nichts nie niemals niemand kein keine keinen keinem keiner keines ohne außer nur kaum weder",
    # French
    "ne pas jamais aucun aucune rien sans sauf seulement",
    # Spanish, Italian, Portuguese
    "nunca jamás nada nadie ningún ninguna sin excepto solo sólo non mai senza não sem",
    # Dutch, Russian
    "niet geen nooit zonder не нет без ни никогда только",
)
CONFUSED = _pairs(  # English words that are a slip apart, as they are or inflected, and surely no typos of each other
    # grammar
    "bought-brought indeed-indexed later-latter nothing-noting quiet-quite seen-seven their-theirs there-three",
    "though-thought though-through throughout-throughput were-where while-whole",
    # what is done, or was done
    "backed-backend backing-baking baking-banking breath-breathe cached-coached caches-catches caching-catching",
    "charger-charter choose-chose cloth-clothe compete-complete concert-convert confirm-conform",
    "constrain-constraint contact-contract convert-covert crate-create decide-decode deduced-deducted",
    "defect-detect defer-deter deprecate-depreciate diving-driving exist-exit exist-exits explode-explore",
    "failing-filing filing-filling found-fund handed-handled identify-identity incite-invite indict-induct",
    "infest-invest insect-inspect liked-linked loose-lose making-marking paying-playing perfect-prefect",
    "qualify-quality raided-raised raise-rise refuse-reuse relies-replies repeal-repel revered-reversed",
    "saying-staying selling-spelling send-spend sent-spent shipping-shopping signing-singing started-stated",
    "storing-string strike-stroke striped-stripped taking-talking trace-trade tracing-tracking tuning-turning",
    "unblock-unlock united-untied",
    # more or less, yes or no, how
    "adverse-averse breadth-breath casual-causal closest-closet concave-conclave desert-dessert discreet-discrete",
    "easter-eastern eternal-external grater-greater hungary-hungry ingenious-ingenuous loser-lower moral-mortal",
    "precious-previous pubic-public sacred-scared scared-scarred sever-severe signed-singed stable-stale",
    "strict-struct",
    # things
    "action-auction angel-angle apples-applies batch-bath beast-beats bellow-below booth-both brush-bush",
    "buffer-buffet cause-clause coast-coats coats-costs contest-context context-contexts count-county",
    "counties-countries country-county dairy-diary debit-debt factor-factory farther-father fiction-friction",
    "fight-flight files-flies fired-fried fires-fries forth-forty forth-fourth garage-garbage grace-grade",
    "heart-hearth hoops-hops launch-lunch liter-litter loses-losses mental-metal mode-model morning-mourning",
    "packer-packet pairs-paris party-patty patent-patient perineal-peroneal phase-phrase pint-point pint-print",
    "plain-plan plane-planet plant-planet polls-pools price-pride price-prince probe-prove process-profess",
    "processor-professor raider-rider rates-rats remainder-reminder sale-scale shingle-single shirt-short",
    "shoot-shot short-sort sort-sport stage-state stand-strand stare-state stars-starts starts-stats state-statue",
    "statue-status steam-stream stores-stories suit-suite tired-tried tires-tries trail-trial",
    "ureter-urether waiter-water weigh-weight",
    # people and places
    "albert-alberta albert-alberto andrea-andreas andrea-andrew carlo-carlos carol-carole christian-christina",
    "daniel-daniela denis-denise eric-erica gabriel-gabriela indian-indiana joanna-johanna julia-julian",
    "lara-laura louis-louise louis-luis marc-marco marina-martina marta-martha martin-martina michel-michele",
    "nicola-nicolas paul-paula robert-roberta robert-roberto simon-simone stefan-stefano",
)
INFLECTIONS = ("", "s", "es", "d", "ed", "ing", "ion", "ly")  # with which two such words are no typos either
FILLERS = _words("an the please pls kindly um uh oh well hey hi hello really very")
LIGHT = _words(  # one of them more says no more; yet none of them is what another one is
    "of to so that this these my our your now then yet already also even actually do does did i",
    "der die das den dem des bitte doch mal auch schon denn le la les donc aussi el los las también pues",
)
