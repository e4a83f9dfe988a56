/* Renewal of a session, docs/protocol.md section 5.11: a client with CALLS calls on connection 0, and what follows it.
 *
 * The client may renew its connection at any time, as long as there is another one left. The server may refuse each
 * new connection after CONFIRM. With SERVER_AGE it takes all of them, and sends GOAWAY on connection 0 at any
 * time. It answers a call at any time. Keys, sizes and the hard age have no part in this.
 */

#define CONNECTIONS 3
#ifndef CALLS
#define CALLS 3
#endif
#define MAX_DRAINING 1
#define NO 255

#ifdef SERVER_AGE
#define MAY_RENEW (last + 2 < CONNECTIONS) /* one is left for the GOAWAY of the server */
#else
#define MAY_RENEW (last + 1 < CONNECTIONS)
#endif

#ifdef BROKEN_NO_BOUND
#define HAS_ROOM true
#else
#define HAS_ROOM (draining < MAX_DRAINING)
#endif

#ifdef BROKEN_DEADLINE
#define MAY_CLOSE(c) true
#else
#define MAY_CLOSE(c) (asked[c] == 0)
#endif

mtype = { CONFIRM, PING, PONG, REQUEST, ANSWER, GOAWAY, CLOSE };
mtype = { UNUSED, DIALED, OPEN, DRAINING, CLOSING, CLOSED };

chan up[CONNECTIONS] = [7] of { mtype };
chan down[CONNECTIONS] = [7] of { mtype };

/* The client. */
mtype at[CONNECTIONS] = UNUSED;
byte current = 0;       /* where new calls go */
byte dialing = NO;      /* the connection that has not answered yet */
byte last = 0;          /* the connection that was dialed last */
byte draining = 0;      /* connections that drain because of their age */
byte asked[CONNECTIONS] = 0; /* calls that are open */
byte begun = 0;
byte answered = 0;

/* The server. */
bool wants_end[CONNECTIONS] = false; /* it sent GOAWAY first */
bool sent_goaway[CONNECTIONS] = false;
bool got_goaway[CONNECTIONS] = false;
bool ended[CONNECTIONS] = false;     /* it sent CLOSE */
byte running[CONNECTIONS] = 0;
bool refused = false;

inline drain_old(old) {
  if
  :: old != NO && at[old] == OPEN ->
    at[old] = DRAINING;
    draining++;
    assert(draining <= MAX_DRAINING); /* a renewal waits for one that drains */
    up[old] ! GOAWAY
  :: else -> skip
  fi
}

inline dial() {
  last++;
  dialing = last;
  at[last] = DIALED;
  up[last] ! CONFIRM;
  up[last] ! PING;
#ifdef BROKEN_MOVES_BEFORE_PONG
  drain_old(current);
  current = last;
#endif
#ifdef BROKEN_GOAWAY_BEFORE_PONG
  drain_old(current);
  current = NO;
#endif
}

inline say_close(c) {
  at[c] = CLOSING;
  draining--;
  up[c] ! CLOSE;
  assert(asked[c] == 0) /* a stream is cut */
}

inline receive(c) {
  if
  :: what == PONG ->
    assert(dialing == c);
    dialing = NO;
    at[c] = OPEN;
#ifndef BROKEN_MOVES_BEFORE_PONG
    drain_old(current);
#endif
    current = c
  :: what == ANSWER -> asked[c]--; answered++
  :: what == GOAWAY ->
    if
    :: at[c] == OPEN ->
      at[c] = CLOSING; /* this side has only answered: the server ends it */
      up[c] ! GOAWAY;
#ifndef BROKEN_GOES_ON_AFTER_GOAWAY
      current = NO
#endif
    :: else -> skip
    fi
  :: what == CLOSE ->
    assert(asked[c] == 0); /* a call is lost */
    if
    :: at[c] == DRAINING -> draining--
    :: else -> skip
    fi;
    at[c] = CLOSED;
    if
    :: dialing == c -> dialing = NO /* the renewal has failed */
    :: else -> skip
    fi;
    if
    :: current == c -> current = NO
    :: else -> skip
    fi
  fi
}

/* It ends when all calls are answered: a call that waits for ever is a deadlock. */
active proctype Client() {
  mtype what;
  at[0] = OPEN;
  do
  :: answered == CALLS -> break
  :: atomic { begun < CALLS && current != NO -> begun++; asked[current]++; up[current] ! REQUEST }
  :: atomic { current != NO && dialing == NO && MAY_RENEW && HAS_ROOM -> dial() }
  :: atomic { current == NO && dialing == NO && last + 1 < CONNECTIONS -> dial() }
  :: atomic { at[0] == DRAINING && MAY_CLOSE(0) -> say_close(0) }
  :: atomic { at[1] == DRAINING && MAY_CLOSE(1) -> say_close(1) }
  :: atomic { down[0] ? what -> receive(0) }
  :: atomic { down[1] ? what -> receive(1) }
  :: atomic { down[2] ? what -> receive(2) }
  od
}

inline serve(c) {
  if
  :: ended[c] -> skip
  :: else ->
    if
    :: what == CONFIRM ->
      if
      :: true -> skip
#ifndef SERVER_AGE
      :: true -> refused = true; ended[c] = true; down[c] ! CLOSE
#endif
      fi
    :: what == PING -> down[c] ! PONG
    :: what == REQUEST -> assert(!got_goaway[c]); running[c]++
    :: what == GOAWAY ->
      got_goaway[c] = true;
      if
      :: !sent_goaway[c] -> sent_goaway[c] = true; down[c] ! GOAWAY
      :: else -> skip
      fi
    :: what == CLOSE -> running[c] = 0; ended[c] = true; down[c] ! CLOSE
    fi
  fi
}

active [CONNECTIONS] proctype Server() {
  mtype what;
  byte c = _pid - 1;
end_server:
  do
  :: atomic { up[c] ? what -> serve(c) }
  :: atomic { running[c] > 0 -> running[c]--; down[c] ! ANSWER }
#ifdef SERVER_AGE
  :: atomic { c == 0 && !sent_goaway[c] && !ended[c] -> sent_goaway[c] = true; wants_end[c] = true; down[c] ! GOAWAY }
#endif
  :: atomic { wants_end[c] && got_goaway[c] && running[c] == 0 && !ended[c] -> ended[c] = true; down[c] ! CLOSE }
  od
}

/* The client always has a connection, or one that it dials. */
ltl never_without { [] (answered == CALLS || current != NO || dialing != NO || last + 1 < CONNECTIONS) }
/* Two renewals, and all calls answered. Expected to be found violated. */
ltl never_twice { [] !(answered == CALLS && current == 2 && at[0] == CLOSED) }
/* A renewal that fails and costs no call. Expected to be found violated. */
ltl never_stays { [] !(answered == CALLS && refused && current == 0) }
