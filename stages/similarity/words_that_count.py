"""Words by which two texts that differ in one word say another thing, and words that never do."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


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
    # English; also every word that ends in n't
    "not no never none nobody nothing nowhere neither nor without cannot cant dont wont isnt arent doesnt didnt hardly",
    "barely rarely seldom except unless only",
    # German
    "nicht nichts nie niemals niemand kein keine keinen keinem keiner keines ohne außer nur kaum weder",
    # French
    "ne pas jamais aucun aucune rien sans sauf seulement",
    # Spanish, Italian, Portuguese
    "nunca jamás nada nadie ningún ninguna sin excepto solo sólo non mai senza não sem",
    # Dutch, Russian
    "niet geen nooit zonder не нет без ни никогда только",
)
CONFUSED = _words(  # English words that differ by a letter from another of these, or from a number: they are no typos
    "there these those theirs their through though thought where were while whole white write quite quiet which witch",
    "sense since month mouth house horse mouse county country count court state stage stale later latter latest",
    "lower loser short shirt sport sort space spare start stare place plane plate plant price pride prime prize point",
    "paint print chance change charge formal format former except expect export expert united untied casual causal",
    "angel angle desert dessert board broad being begin trail trial loose close breath breathe cloth clothe debit debt",
    "seen server serves never newer fever below bellow inner",
)
FILLERS = _words("an the please pls kindly um uh oh well hey hi hello really very")
