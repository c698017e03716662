"""Words by which two texts that differ in one word say another thing, and words that never do."""


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
CONFUSED = _pairs(  # English words and names that are a letter apart, and no typos of each other
    # grammar
    "abort-about after-alter along-among latent-latest later-latter never-newer quiet-quite seen-seven their-theirs",
    "there-these there-three these-those though-thought though-through were-where while-white while-whole",
    "woman-women",
    # what is done, or was done
    "absorb-adsorb absorption-adsorption adapt-adopt appeal-appear ascend-ascent attach-attack began-begin",
    "breath-breathe caches-catches caching-catching casting-costing chance-change change-charge choose-chose",
    "chose-close cloth-clothe commute-compute concert-convert confirm-conform constrain-constraint contact-contract",
    "contract-contrast convert-covert decay-delay decide-decode defect-detect defer-deter deprecate-depreciate",
    "descend-descent divert-divest drank-drunk exist-exit exist-exits expand-expend expect-expert expend-extend",
    "expert-export explode-explore extend-extent failing-falling found-fund incite-invite indict-induct",
    "infect-inject infest-invest insect-inspect insert-invert intent-invent invent-invest liked-linked loose-lose",
    "making-marking packing-parking parsed-passed parsing-passing passed-paused paying-playing perfect-prefect",
    "planned-planted planning-planting prescribe-proscribe present-prevent raided-raised raise-rise refuse-reuse",
    "remain-retain remote-remove repeal-repel repeal-reveal replaced-replayed resolve-revolve retail-retain",
    "retire-rewire revered-reversed revise-revive send-spend sent-spent setting-sitting shipped-skipped",
    "shipping-shopping shipping-skipping shopping-stopping speed-spend started-stated trace-track trace-trade",
    "tracing-tracking tuning-turning unblock-unlock united-untied unload-upload waiting-writing wanted-wasted",
    "washed-wasted white-write",
    # more or less, yes or no, how
    "adverse-averse casual-causal clean-clear cleaner-clearer concave-conclave daily-dairy desert-dessert",
    "discreet-discrete easter-eastern eternal-external farmer-former farther-further formal-format grater-greater",
    "immutable-imputable infinite-infinity ingenious-ingenuous internal-interval lateral-literal loser-lower",
    "major-mayor miner-minor moral-mortal precious-previous pubic-public sacred-scared scared-scarred",
    "sever-severe shower-slower signed-singed stable-stale strict-struct unable-usable",
    # things
    "abduct-adduct abductor-adductor accent-accept accent-ascent action-auction advice-advise angel-angle",
    "ascent-assent batch-bath bellow-below black-blank black-block buffer-buffet butane-butene cause-clause",
    "chain-chair chlorate-chlorite chloride-chlorine clone-close coarse-course coats-costs complement-compliment",
    "concept-concert content-contest content-context contest-context context-contexts count-county count-court",
    "country-county dairy-diary debit-debt decade-decode device-devise ethanal-ethanol ethane-ethene factor-factory",
    "farther-father fiction-friction files-fills floor-flour fluoride-fluorine forth-forty forth-fourth grace-grade",
    "grandma-grandpa grape-graph grass-gross header-heater heard-heart heart-hearth horse-house ileum-ilium",
    "insect-insert leader-loader lines-links macro-micro master-matter medal-metal medication-meditation",
    "mental-metal methanal-methanol modal-model mode-model month-mouth morning-mourning nitrate-nitrite older-order",
    "packet-pocket paint-point paint-print parker-parser parse-pause party-patty patent-patient perineal-peroneal",
    "phase-phrase phosphate-phosphite pint-point pint-print place-plane place-plate plain-plan plane-planet",
    "plane-plant plane-plate point-print pointer-printer police-policy price-pride price-prime price-prince",
    "price-prize pride-prime pride-prize prime-prize probe-prove produce-product project-protect propane-propene",
    "radios-radius rates-rats regard-reward remainder-reminder roles-rules routine-routing sale-scale scene-scent",
    "schema-scheme score-store server-serves sheep-sheet shirt-short short-sort short-sport sort-sport space-spare",
    "spare-stare stack-stock stage-stale stage-stare stage-state stale-stare stale-state stare-start stare-state",
    "stars-starts starts-stats state-statue stationary-stationery statue-status steal-steel steam-stream",
    "steps-stops subnet-subset suit-suite sulfate-sulfite sulphate-sulphite thread-threat tiles-times timer-times",
    "trail-train trail-trial ureter-urether value-valve vector-victor waiter-water weigh-weight words-works",
    # people and places
    "albert-alberta albert-alberto andrea-andreas andrea-andrei andrea-andrew carla-carlo carlo-carlos carol-carole",
    "chile-chili christian-christina christina-christine daniel-daniela denis-denise diana-diane eric-erica",
    "frances-francis gabriel-gabriela indian-indiana joanna-joanne joanna-johanna julia-julian julia-julie",
    "lara-laura louis-louise louis-luis marc-marco marco-mario maria-marie maria-mario maria-marta marie-mario",
    "marta-martha martin-martina martin-marvin michel-michele nicola-nicolas nicola-nicole paul-paula paula-paulo",
    "robert-roberta robert-roberto simon-simone stefan-stefano stephan-stephen",
)
INFLECTIONS = ("", "s", "es", "d", "ed", "ing", "ion", "ly")  # with which two such words are no typos either
FILLERS = _words("an the please pls kindly um uh oh well hey hi hello really very")
