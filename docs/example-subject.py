#!/usr/bin/env python3
"""A subject of sockeye's: Python's sockets, for cases that need no lab. See subject-protocol.md."""
import errno, json, os, socket, sys, time

def say(**reply):
    print(json.dumps(reply), flush=True)

def call(op, fds):
    (name, args), = op.items()
    if name == "socket":
        types = [getattr(socket, t) for t in args["type"]]
        fds[args["fd"]] = socket.socket(getattr(socket, args["domain"]), sum(types))
        return {"ret": 0}
    if name == "sendto" and set(args["addr"]["host"]) == {"ip"} and "text" in args["data"]:
        to = (args["addr"]["host"]["ip"], args["addr"]["port"]["is"])
        return {"ret": fds[args["fd"]].sendto(args["data"]["text"].encode(), to)}
    if name == "getsockopt" and args["option"] == {"raw": {"level": "SOL_SOCKET", "name": "SO_ERROR"}}:
        return {"ret": 0, "out": {"int": fds[args["fd"]].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)}}
    raise NotImplementedError(name)

def run(case):
    began, events, fds = time.time_ns(), [], {}
    trace = {"schema": 1, "case": case["id"], "began_ns": began, "links": [], "events": events}
    if case.get("lab", {}).get("links") or case.get("lab", {}).get("setup"):
        return {**trace, "end": {"skipped": {"reason": "unsupported: a lab"}}}
    for number, op in enumerate(case["ops"]):
        at = time.time_ns()
        try:
            returned = call(op, fds)
        except OSError as e:
            returned = {"ret": -1, "errno": errno.errorcode[e.errno]}
        except NotImplementedError as e:
            return {**trace, "events": [], "end": {"skipped": {"reason": f"unsupported: {e}"}}}
        took = time.time_ns() - at
        event = {"op": number, "at_ns": at - began, "took_ns": took, "did": {"returned": returned}}
        events.append({"call": event})
    return {**trace, "end": "done"}

u = os.uname()
say(hello={"schema": 1, "kernel": {"system": u.sysname, "release": u.release, "version": u.version,
                                   "machine": u.machine, "euid": os.geteuid()}})
for line in sys.stdin:
    say(trace=run(json.loads(line)))
