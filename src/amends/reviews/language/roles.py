"""Words for people at work beyond ``vocabulary.PEOPLE``: roles, bodies, and bare names of departments."""

from __future__ import annotations

from amends.reviews.language import vocabulary as v

ROLES = v.PEOPLE - {"support", "group", "groups", "organization", "organisation", "student"} | v.word_set(
    """
        subcontractor subcontractors supervisor supervisors coordinator coordinators trainees apprentice
        apprentices genius geniuses guild guilds tribe board boards committee division unit shift crews
        freelancer freelancers boss bosses chief chiefs officer officers planner planners designer
        designers scientist scientists newbie newbies rookie rookies hire hires commanders personnel
        founder founders electrician electricians company companies firm firms office desk helpdesk
        service-desk hoster vendor vendors supplier suppliers provider providers contractor president
        deployers approver integrator integrators leader leaders head heads expert partner partners
        writers authorities agency agencies consultancy coders predecessor predecessors successor juniors
        mentor mentors organisers organizers council board's group groups support
        colleagues guys lads folk official officials bureaucrats servants minister ministers practitioners
        """
)
_GROUPS = v.word_set(
    "security consumer target replica resource scaling node placement log policy control user the"
)
# Modifiers that make software, hardware or paper of a word for people.
NOT_ROLES = {
    "head": v.word_set("the a an print git detached read disk"),
    "heads": v.word_set("the a read disk detached"),
    "unit": v.word_set("the a an test systemd power storage each compute timer service"),
    "desk": v.word_set("the a"),
    "board": v.word_set("a circuit system status kanban main"),
    "boards": v.word_set("circuit system status kanban main the"),
    "operator": v.SOFTWARE - {"the"} | {"kubernetes", "k8s"},
    "operators": v.SOFTWARE | {"kubernetes", "k8s", "logical"},
    "owner": v.word_set("file table object code"),
    "group": _GROUPS | {"a"},
    "groups": _GROUPS,
    "lead": v.word_set("to the a"),
    "leads": v.word_set("this which that it"),
    "support": v.word_set("to for the of a no and with better has lacks add added adds language"),
    "office": v.word_set("the an head in"),
    "leader": v.word_set("a the new raft partition old cluster consul elected no"),
    "leaders": v.word_set("partition raft the"),
    "shift": v.word_set("the a to bit"),
    "human": v.word_set("the a by"),
    "partner": v.word_set("a the"),
    "partners": v.word_set("the"),
    "company": v.word_set("the a"),
    "member": v.word_set("set cluster"),
    "author": v.word_set("commit"),
}  # fmt: skip
# Departments stand bare: "Marketing launched …". Some are also names of services, so they count only as
# the subject of something that no service does.
DEPARTMENTS = v.word_set(
    """
    networking marketing finance security infrastructure engineering product operations legal sales hr
    accounting procurement purchasing compliance platform storage payments billing search frontend
    backend mobile data development devops analytics facilities controlling logistics editorial
    fulfilment fulfillment ops qa sre it infra identity risk audit
    """
)
DEPARTMENT_PAIRS = {
    ("customer", "care"), ("customer", "success"), ("customer", "service"), ("client", "services"),
    ("release", "engineering"), ("data", "science"), ("human", "resources"), ("technical", "support"),
    ("data", "engineering"), ("quality", "assurance"), ("public", "relations"), ("field", "service"),
    ("release", "management"), ("change", "management"), ("account", "management"),
}  # fmt: skip
