/* CREDIT, docs/protocol.md sections 5.3, 5.7 and 5.10: both sides send bulk without end, over sockets that are soon full.
 *
 * Cumulative values of the wire are differences here, so that the run never ends and is still finite: `outstanding` is
 * the bytes sealed less the bytes credited, `unreported` the bytes taken less the bytes reported, and CREDIT carries the
 * rise. The difference at which CREDIT is due is DUE, the least rise is LEAST; a record of bulk is 1 or 2.
 * With SMALL one side also sends messages that pass bulk, without end; one record in SHARE is left to bulk.
 */

#ifndef DUE
#define DUE 4
#endif
#ifndef WINDOW
#define WINDOW 4
#endif
#define LEAST 2
#define SHARE 3
#define CAPACITY 2
/* Small messages are not bounded by credit; the model is. */
#define MOST (WINDOW + 2)

mtype = { DATA, CREDIT, PING, PONG };
mtype = { BULK, PASSED, OTHER };

chan way[2] = [CAPACITY] of { mtype, byte };

byte outstanding[2] = 0;
byte unreported[2] = 0;
bool owes_pong[2] = false;
bool has_asked[2] = false; /* one PING of each side, at any moment */
bool was_credited[2] = false; /* for the properties */
mtype last[2] = OTHER;

#define may_go(me) (outstanding[me] < WINDOW)
#define is_due(me) (unreported[me] >= DUE)

/* The condition for each kind of record, in addition to the socket. */
#ifdef BROKEN_PONG_BEHIND_BULK
#define pong_waits(me) (!may_go(me))
#else
#define pong_waits(me) false
#endif
#ifdef BROKEN_CREDIT_BEHIND_BULK
#define credit_waits(me) (owes_pong[me] || !may_go(me))
#else
#define credit_waits(me) owes_pong[me]
#endif
#ifdef BROKEN_READING_WAITS
#define can_read(me) (nempty(way[1 - me]) && nfull(way[me]))
#else
#define can_read(me) nempty(way[1 - me])
#endif
#define data_waits(me) (owes_pong[me] || is_due(me))

proctype Side(byte me) {
  byte passed = 0; /* records in a row that small messages have led although bulk could go */
  mtype what; byte n;
  do
  :: atomic { nfull(way[me]) && !has_asked[me] -> has_asked[me] = true; way[me] ! PING, 0; last[me] = OTHER }
  :: atomic { nfull(way[me]) && owes_pong[me] && !pong_waits(me) ->
      owes_pong[me] = false;
      way[me] ! PONG, 0;
      last[me] = OTHER
    }
#ifdef BROKEN_TOO_SOON
  :: atomic { nfull(way[me]) && unreported[me] > 0 && !credit_waits(me) ->
#else
  :: atomic { nfull(way[me]) && is_due(me) && !credit_waits(me) ->
#endif
      way[me] ! CREDIT, unreported[me];
      unreported[me] = 0;
      last[me] = OTHER
    }
  :: atomic { nfull(way[me]) && may_go(me) && !data_waits(me) ->
      if
      :: n = 1
      :: n = 2
      fi;
      outstanding[me] = outstanding[me] + n;
      way[me] ! DATA, n;
      passed = 0;
      last[me] = BULK
    }
#ifdef SMALL
#ifdef BROKEN_NO_SHARE
  :: atomic { me == 0 && nfull(way[me]) && outstanding[me] < MOST && !data_waits(me) ->
#else
  :: atomic { me == 0 && nfull(way[me]) && outstanding[me] < MOST && !data_waits(me) && (passed < SHARE - 1 || !may_go(me)) ->
#endif
      if
      :: may_go(me) && passed < SHARE -> passed++; last[me] = PASSED
      :: may_go(me) && passed == SHARE -> last[me] = PASSED
      :: else -> last[me] = OTHER
      fi;
      outstanding[me]++;
      way[me] ! DATA, 1
    }
#endif
  :: atomic { can_read(me) ->
      way[1 - me] ? what, n;
      if
      :: what == DATA ->
#ifdef BROKEN_LATE_DOES_NOT_COUNT
        if
        :: unreported[me] = unreported[me] + n
        :: skip
        fi
#else
        unreported[me] = unreported[me] + n
#endif
      :: what == CREDIT ->
        assert(n >= LEAST); /* too little that is new */
        assert(n <= outstanding[me]); /* never earned */
        outstanding[me] = outstanding[me] - n;
        was_credited[me] = true
      :: what == PING -> owes_pong[me] = true
      :: what == PONG -> skip
      fi;
      last[me] = OTHER
    }
  od
}

init { atomic { run Side(0); run Side(1) } }

#define is_quiet (len(way[0]) == 0 && len(way[1]) == 0)
/* Once everything has arrived, what is outstanding at one side is unreported at the other. */
ltl counts_agree { [] (is_quiet -> outstanding[0] == unreported[1] && outstanding[1] == unreported[0]) }
/* Nothing holds bulk when all that was to be reported has been. */
ltl quiet_holds_nothing { [] (is_quiet && !is_due(0) && !is_due(1) -> may_go(0) && may_go(1)) }
/* Small messages that pass bulk for ever leave it its share. */
ltl bulk_goes_on { ([] <> (last[0] == PASSED)) -> ([] <> (last[0] == BULK)) }
/* Both sides are credited in one run. Expected to be found violated. */
ltl never_both { [] !(was_credited[0] && was_credited[1]) }
