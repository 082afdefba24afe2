"""Closed word classes of the rules: who is a person, which verbs find fault, which only help."""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text, which may go over many lines."""
    return frozenset(words.split())


SELF = word_set("i we ourselves myself")
PRONOUNS = SELF | word_set(
    """
    he she you y'all someone somebody anyone anybody who whoever everyone everybody
    """
)
NOBODY = word_set("nobody no-one none neither noone")
THINGS = word_set("it this that these those which what there")
POSSESSIVES = word_set("my our his her their your someone's somebody's whose")

PEOPLE = word_set(
    """
    engineer engineers developer developers dev devs admin admins administrator administrators
    sysadmin sysadmins author authors committer committers reviewer reviewers maintainer maintainers
    contractor contractors intern interns colleague colleagues teammate teammates coworker coworkers
    co-worker person persons people staff employee employees member members guy guys folks on-call
    oncall on-caller sre sres dba dbas manager managers lead leads team teams squad squads crew
    department departments group groups operator operators technician technicians programmer
    programmers tester testers architect architects analyst analysts consultant consultants responder
    responders commander newcomer junior seniors owner owners coder coders volunteer volunteers
    management leadership executive executives ceo cto vp director directors personnel organization
    organisation company qa devops netops secops ops support helpdesk approver approvers trainee
    deployer individual individuals specialist specialists expert experts human humans student
    """
)
ORGANISATIONS = word_set(
    """
    vendor vendors supplier suppliers provider providers upstream google amazon aws microsoft azure
    cloudflare github gitlab fastly openstack partner partners
    """
)
CHANGES = word_set("commit commits patch patches pr prs cl refactor refactoring changeset")
SOFTWARE = word_set(
    """
    the prometheus kafka postgres mysql redis elasticsearch etcd cluster kubernetes logging ternary
    sql db comparison
    """
)
AFFECTED = word_set(
    """
    user users customer customers client clients visitor visitors consumer consumers player players
    reader readers attacker attackers hacker hackers spammer spammers researcher researchers patient
    patients merchant merchants caller callers shopper shoppers community subscriber subscribers actor
    actors miner miners farmer farmers
    """
)
TRANSPARENT = word_set(
    """
    one some most all many few several each both half part two three any lot lots majority couple
    handful none
    """
)
PREPOSITIONS = word_set(
    """
    of by for in on from with at to within inside under behind across against about into onto over
    through between during before after via per upon without around near than like toward towards
    until since
    """
)
DETERMINERS = word_set(
    """
    the a an this that these those our my your his her their its some any each every no another one
    all both neither either
    """
)
AUXILIARIES = word_set(
    """
    'd have has had having was were is are be been being am did do does will would could should might
    may must can shall got get gets ought
    """
)
BE = word_set("was were is are be been being am got get gets gotten 's")
MODALS = word_set("may might could can would will should must shall ought")
CONJUNCTIONS = word_set("and but or then so yet nor & plus")
SUBORDINATORS = word_set(
    """
    because when if while although though as since before after until unless whether where that which
    who whom once whenever why how what so whereas lest
    """
)
ADVERBS = word_set(
    """
    also just even never ever then still always already again not only soon often somehow simply
    rather quite almost perhaps maybe instead thus therefore however otherwise later first initially
    once both all too very well really totally sort kind likely now nevertheless sadly further either
    yet apparently
    """
)
NOT_ADVERBS = word_set(
    """
    family reply assembly supply anomaly july apply only rely fly comply multiply monopoly ally
    """
)

FORGET = word_set(
    """
    forgot neglected overlooked misread misjudged misunderstood mistook goofed botched fumbled
    """
)
FORGET_DONE = word_set(
    """
    forgotten mistaken misread misjudged misunderstood overlooked neglected botched
    """
)
UPSETS = word_set("mixed messed screwed fucked mucked cocked slipped stuffed bungled")  # with "up"
FAULT = word_set(
    """
    missed ignored dismissed broke skipped bypassed rushed disregarded underestimated violated
    misconfigured mistyped misplaced misspelled misspelt miscalculated mishandled misinterpreted
    miscounted miscommunicated misdiagnosed misapplied misused mislabelled mislabeled misnamed
    mismanaged miswrote misremembered misled fat-fingered typoed clobbered sabotaged wrecked ruined
    blundered mis-typed mis-configured mis-read mis-spelled mis-judged panicked procrastinated slacked
    brushed
    """
)
# Of "someone", these hunt for who did it; the rest of what people do is only told.
SOMEONE_DID = word_set(
    """
    deleted dropped removed erased wiped disabled overwrote broke killed unplugged thought hardcoded
    hard-coded truncated revoked tripped destroyed bypassed ignored dismissed leaked force-pushed
    """
)
# What to ignore or dismiss is a fault; other things are left out on purpose, as told.
SIGNALS = word_set(
    """
    alert alerts warning warnings page pages error errors sign signs review reviews comment comments
    feedback advice policy process runbook email emails notification notifications alarm alarms
    message messages ticket tickets signal signals report reports concern concerns instruction
    instructions request requests it them
    """
)
SKIPPABLE = word_set(
    """
    step steps test tests testing review reviews check checks canary validation verification approval
    process staging procedure checklist backup dry-run qa rehearsal instructions gate gates guard
    guards safeguard policy rule rules
    """
)
# Participles that describe a thing as often as they tell what was done: "we should have automated tests".
DESCRIBING = word_set(
    """
    automated dedicated shared centralised centralized improved detailed documented updated increased
    defined restricted limited designated distributed unified standardised standardized structured
    redundant reduced isolated managed controlled synchronised synchronized combined continued
    required separated layered versioned scheduled tested
    """
)
FAULT_DONE = FAULT - {"broke"} | {"broken"}
FAILS = word_set("failed failing fails neglected neglecting neglects")  # with "to" and a verb
FORGETTING = word_set(
    """
    forgetting neglecting overlooking misreading misjudging mishandling misconfiguring
    """
)
MISSABLE = word_set(
    """
    slo slos sla slas target targets deadline deadlines kpi goal goals objective objectives
    commitments train window lunch sprint milestone
    """
)

DILIGENCE = word_set(
    """
    check test verify validate review request follow read consult ask notify inform communicate tell
    think bother consider pay confirm coordinate announce document examine inspect escalate
    investigate double-check listen respond react update monitor train plan prepare research account
    care look sanity-check raise warn prioritise prioritize act heed remember
    """
)
DILIGENCE_DONE = word_set(
    """
    checked tested verified validated reviewed requested followed read consulted asked notified
    informed communicated told thought bothered considered paid confirmed coordinated announced
    documented examined inspected escalated investigated double-checked listened looked warned heeded
    remembered
    """
)
DILIGENCE_ING = word_set(
    """
    checking testing verifying validating reviewing requesting following reading consulting asking
    notifying informing communicating telling thinking bothering considering paying confirming
    coordinating announcing understanding looking
    """
)
CARELESS = word_set(
    """
    accidentally inadvertently mistakenly incorrectly wrongly erroneously carelessly hastily sloppily
    negligently recklessly blindly foolishly stupidly naively naïvely improperly irresponsibly lazily
    thoughtlessly prematurely unwisely needlessly clumsily wrongfully knowingly
    """
)
HARM = word_set(
    """
    deleted dropped removed erased wiped pushed merged disabled ran changed edited overwrote broke
    committed modified terminated killed restarted deployed unplugged thought decided wrote hardcoded
    hard-coded copied pasted left turned truncated renamed revoked stopped tripped reverted rebooted
    added set put introduced destroyed bypassed skipped ignored dismissed typed uploaded leaked
    switched moved rebased force-pushed
    """
)
OUTAGE = word_set(
    """
    outage outages incident incidents failure failures issue issues problem problems downtime
    disruption degradation breakage crash bug bugs error errors mess regression regressions defect
    defects data-loss leak breach mistake mistakes interruption disaster fault slowdown
    """
)
INSULTS = word_set(
    """
    putz putzes jerk jerks buffoon buffoons halfwit halfwits dimwit dimwits bozo bozos cowboy cowboys
    numpty numpties nitwit nitwits knucklehead knuckleheads numbskull numbskulls
    idiot idiots moron morons fool fools dumbass imbecile clown clowns incompetents amateur amateurs
    """
)
FAULTY = word_set(
    """
    stupid dumb lazy careless sloppy negligent incompetent clueless reckless irresponsible inattentive
    complacent unprofessional inexperienced unqualified foolish ignorant distracted unprepared
    thoughtless naive naïve overconfident untrained hasty oblivious mistaken wrong asleep guilty
    arrogant stubborn
    """
)
ATTRIBUTIVE = word_set(
    """
    stupid dumb lazy careless sloppy negligent incompetent clueless reckless irresponsible inattentive
    foolish thoughtless overconfident unprofessional inexperienced untrained arrogant
    """
)
HUMAN_ACTS = word_set(
    """
    cut-n-paste copy copy-paste copy-and-paste cut-and-paste paste pasting typing work review reviews
    reviewing mistake mistakes editing coding handling testing error errors merge oversight
    engineering programming rebase proofreading change commit deploy deployment decision attitude
    behaviour behavior typo
    """
)
CARELESSNESS = word_set(
    """
    carelessness negligence sloppiness laziness incompetence inattention recklessness stupidity
    complacency inexperience ignorance forgetfulness ineptitude arrogance
    """
)
MISTAKES = word_set(
    """
    mistake mistakes fault oversight oversights negligence carelessness sloppiness laziness
    incompetence screw-up screwup blunder blunders bad incompetency inattention stupidity ignorance
    failing failings misunderstanding misjudgement misjudgment typo typos
    """
)
ERRONEOUS = word_set(
    """
    human operator pilot engineer developer admin administrator user manual programmer personnel
    """
)

# Human communication: a capitalised word that does this is a person, whatever product shares the name.
SPEAKING = word_set(
    """
    asks asked suggests suggested thinks thought wonders wondered says said agrees agreed joins joined
    realises realised realizes realized believes believed decides decided volunteers volunteered
    apologises apologised apologizes apologized explains explained forgot forgets proposes proposed
    tells told replies replied mentions mentioned guesses guessed remembers remembered acknowledges
    acknowledged tries tried
    """
)
ACTING = SPEAKING | word_set(
    """
    deploys deployed merges merged reverts reverted notices noticed reports reported investigates
    investigated confirms confirmed pings pinged restarts restarted fixes fixed finds found determines
    determined discovers discovered opens opened creates created runs ran pushes pushed rolls rolled
    deletes deleted starts started escalates escalated identifies identified pages paged calls called
    posts posted approves approved checks checked works worked updates updated adds added removes
    removed writes wrote makes made takes took sees saw begins began looks looked applies applied
    mitigates mitigated cordons drains drained scales scaled contacts contacted logs logged switches
    switched disables disabled enables enabled kicks kicked closes closed declares declared observes
    observed manually accidentally was is has had did will can
    """
)

REMEDY = word_set(
    """
    helped prevented avoided caught detected alerted told warned reduced mitigated shortened saved
    stopped sped noticed spotted averted limited revealed surfaced shown found allowed enabled flagged
    identified improved minimised minimized highlighted discovered made given protected uncovered
    eliminated lessened accelerated notified signalled simplified eased decreased
    """
)
# What a machine does by itself: an expectation of the system, not of people.
MACHINE = word_set(
    """
    rejected rescheduled routed evicted retried scaled rate-limited cached restarted replicated
    persisted queued processed triggered fired delivered paged returned expired possible expected
    corrected drained balanced scheduled served dropped throttled received redirected propagated
    garbage-collected terminated failed-over recovered synced synchronised synchronized rendered
    loaded refreshed cleared released mounted resolved evaluated ignored honoured honored recreated
    re-created parsed accepted forwarded emitted started stopped shown able available impossible empty
    zero unaffected sufficient enough true false equal identical
    """
)
BY_ITSELF = word_set("automatically atomically transparently immediately gracefully")
# What may have come about: a statement of possible impact, not of another past.
POSSIBLE = word_set(
    """
    caused led resulted contributed come arisen happened affected impacted exposed accessed
    compromised lost exploited triggered introduced related experienced seen used read leaked stolen
    encountered received viewed left corrupted obtained downloaded modified disclosed involved
    """
)
BETTER = word_set(
    """
    better quicker faster sooner earlier clearer smoother worse shorter easier simpler nicer nice
    helpful useful good ideal wise prudent preferable best beneficial safer smarter longer great
    sensible appropriate avoidable preventable quick obvious more less
    """
)
ATTITUDES = word_set(
    """
    loved liked expected preferred thought hoped wanted wished appreciated enjoyed hated assumed
    """
)
ARTEFACTS = word_set(
    """
    suite pipeline staging environment environments test tests change changes commit commits patch
    patches pr prs config configuration rule rules runbook runbooks doc docs documentation review
    reviews plan plans fix checklist process procedure policy announcement ticket migration alerting
    monitoring design release playbook code
    """
)
DESIGNED = word_set(
    """
    used included contained mentioned covered been had specified listed described documented required
    followed set
    """
)
EXPECTED_OF_PEOPLE = word_set(
    """
    known noticed realised realized seen anticipated foreseen predicted understood recognised
    recognized guessed expected obvious clear spotted
    """
)
IRREGULAR = word_set(
    """
    done gone been had made taken given known seen found run put set held kept told brought caught
    thought chosen written broken gotten got come built sent left lost meant paid read said shown
    spent stood understood won begun driven fallen felt forgotten hidden led let met sought sold
    taught worn drawn grown thrown hit shut split cut become bought dealt dug fed fought heard hung
    laid lain lit proven reset rewritten shaken undone upset spun sped stuck swept overridden redone
    withheld beaten bound foreseen
    """
)
