"""The hand-written side: the shared bare application, and what Casewell answers beside it.

Served like Casewell itself: the statements below read the same tables in the same way as the
shared ones, for two questions that those do not ask.
"""

import limit_app
from flask import request
from limit_app import CONV, HIT, app, out, store

EVERYONE = """SELECT v.client_id, c.name, v.last_channel, v.last_inbound, v.last_ts, v.unread,
        v.preview
    FROM conversation v JOIN client c ON c.id = v.client_id
    WHERE v.channel = -1 AND v.last_ts > 0{before}
    ORDER BY v.last_ts DESC, v.client_id DESC LIMIT 50"""
MINE = {"sqlite": " AND +m.staff_id = {p}", "postgres": " AND staff_id = {p}"}
BEGINS = {
    "sqlite": """SELECT m.id, m.client_id, c.name, m.channel, m.ts, m.subject,
            substr(m.body, 1, 120)
        FROM message_fts f JOIN message m ON m.id = f.rowid JOIN client c ON c.id = m.client_id
        WHERE message_fts MATCH {p}{mine} ORDER BY f.rowid DESC LIMIT 20""",
    "postgres": f"""WITH h AS MATERIALIZED (SELECT id FROM message
            WHERE {limit_app.limit.TSV} @@ to_tsquery('simple', {{p}}){{mine}}),
        t AS (SELECT id FROM h ORDER BY id DESC LIMIT 20)
        SELECT m.id, m.client_id, c.name, m.channel, m.ts, m.subject, substr(m.body, 1, 120)
        FROM t JOIN message m USING (id) JOIN client c ON c.id = m.client_id
        ORDER BY m.id DESC""",
}


def prepare(made):
    """Add these statements to a store."""
    mark = "?" if made.name == "sqlite" else "%s"
    made.sql["EVERYONE"] = EVERYONE.format(before="")
    made.sql["EVERYONE_next"] = EVERYONE.format(
        before=f" AND (v.last_ts, v.client_id) < ({mark}, {mark})"
    )
    for name, mine in (("BEGINS", ""), ("BEGINS_mine", MINE[made.name].format(p=mark))):
        made.sql[name] = BEGINS[made.name].format(p=mark, mine=mine)
    return made


def prepared():
    made = store()
    return made if "EVERYONE" in made.sql else prepare(made)


@app.get("/conversations")
def conversations():
    after = request.args.get("after")
    if after is None:
        return out(prepared().q("EVERYONE"), CONV, (4, 0))
    at, client_id = after.split(",")
    return out(prepared().q("EVERYONE_next", int(at), int(client_id)), CONV, (4, 0))


@app.get("/search/begins")
def search_begins():
    """Every word, the last one also as the beginning of a word, as Casewell searches."""
    *words, last = request.args["q"].split()
    if prepared().name == "sqlite":
        phrase = " ".join([*(f'"{word}"' for word in words), f'"{last}"*'])
    else:
        phrase = " & ".join([*words, f"{last}:*"])
    staff = request.args.get("staff")
    if staff is None:
        return out(prepared().q("BEGINS", phrase), HIT)
    return out(prepared().q("BEGINS_mine", phrase, int(staff)), HIT)
