"""Families of words that judge how somebody works: adjectives, their adverbs, and the nouns of the vice.

Families, so that a word need not have been met: whatever ends in "-lessly" but a short list, "half-…",
"ill-…", "over-…" with a verb of judgement, "mis-…" with a verb.
"""

from __future__ import annotations

from amends.reviews.language import vocabulary as v

TRAITS = v.FAULTY - {"wrong", "mistaken", "asleep"} | v.word_set(
    """
        half-hearted halfhearted imprudent ill-considered ill-advised ill-prepared ill-informed clumsy
        impatient impulsive lax lackadaisical indifferent inept inconsiderate indecisive unwise unwilling
        uncooperative undisciplined unreliable unreasonable unthinking short-sighted shortsighted
        amateurish heedless feckless hopeless useless spineless mindless brainless senseless tactless
        shameful disgraceful cavalier blasé frivolous gullible timid cowardly dishonest disrespectful
        disorganised disorganized dismissive inflexible insolent irrational nonchalant obstinate petty
        presumptuous rash remiss selfish slapdash slipshod sluggish unmotivated unskilled
        untrustworthy wilful blameworthy culpable lethargic slipshod trigger-happy overeager overworked
        oblivious clueless sloppy immature incapable inadequate hypocritical forgetful absent-minded
        absentminded lazy-minded perfunctory cursory ham-fisted ham-handed heavy-handed hare-brained
        foolhardy bumbling dim-witted bone-headed boneheaded thick moronic idiotic silly disobedient
        """
) - {"thick", "useless", "overworked"}
# Of a deed these judge as well; of a person they may only describe.
OF_DEEDS = TRAITS - v.word_set(
    "inadequate incapable stupid dumb silly naive naïve overconfident ignorant unreliable useless sluggish "
    "inflexible lax slack oblivious unprepared lazy hopeless mindless senseless undisciplined inexperienced "
    "greedy stubborn"
)
_GOOD_LESSLY = v.word_set(
    """
    seamlessly effortlessly endlessly wirelessly tirelessly flawlessly harmlessly painlessly losslessly
    statelessly nevertheless nonetheless countlessly timelessly relentlessly noiselessly spotlessly
    faultlessly fearlessly ceaselessly boundlessly passwordlessly serverlessly blamelessly selflessly
    aimlessly helplessly
    """
)
BAD_MANNERS = v.CARELESS | v.word_set(
    """
    half-heartedly unprofessionally imprudently impatiently impulsively rashly brazenly wilfully
    willfully unthinkingly inattentively unnecessarily ineptly incompetently amateurishly cavalierly
    casually complacently indifferently shamefully stubbornly arrogantly wantonly culpably grossly
    overzealously overconfidently ignorantly lackadaisically haphazardly unilaterally inexcusably
    inexplicably absent-mindedly absentmindedly distractedly dismissively sluggishly shortsightedly
    unwittingly obliviously unreasonably conveniently idiotically insufficiently
    """
) - v.word_set("unnecessarily conveniently")  # fmt: skip
VICES = v.CARELESSNESS | v.word_set(
    """
    impatience haste imprudence indifference indiscipline unprofessionalism unwillingness reluctance
    hubris overconfidence thoughtlessness heedlessness stubbornness indecision inaction clumsiness
    foolishness ineptness irresponsibility dishonesty short-sightedness shortsightedness apathy sloth
    disinterest vanity panic
    """
)


def is_bad_manner(word: str) -> bool:
    """Tell whether an adverb judges how somebody acted: "recklessly", "half-heartedly"."""
    if word in BAD_MANNERS:
        return True
    return word.endswith("lessly") and word not in _GOOD_LESSLY


def is_trait(word: str) -> bool:
    """Tell whether an adjective judges a person: "careless", "half-hearted"."""
    return word in TRAITS or (word.startswith(("half-", "ill-")) and word.endswith("ed"))
