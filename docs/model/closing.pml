/* GOAWAY and CLOSE, docs/protocol.md sections 5.5 and 5.8: one connection that is open, until both sides have ended it.
 *
 * Each side may begin to drain at any time, and each direction keeps its order. The client has up to REQUESTS requests,
 * some of which wait for their turn; the server answers every one that it was handed. A side ends a drain by CLOSE when
 * nothing runs, and the deadline of a drain may pass at any moment unless NO_DEADLINE takes it away. Keys, PING and
 * fragments have no part in this.
 */

#ifndef REQUESTS
#define REQUESTS 2
#endif

#define CLIENT 0
#define SERVER 1

mtype = { REQUEST, ANSWER, GOAWAY, CLOSE, FIN };
mtype = { OPEN, DRAINING, CLOSING, ENDED, CLOSED };

chan to[2] = [8] of { mtype };

mtype state[2] = OPEN;
bool initiated[2] = false; /* this side began to drain */
bool wants_goaway[2] = false;
bool sent_goaway[2] = false;
bool got_goaway[2] = false;
bool sent_close[2] = false;
bool got_close[2] = false;

byte waiting = REQUESTS; /* at the client: not begun yet */
byte asked = 0;          /* at the client: begun and not answered */
byte running = 0;        /* at the server: handed over and not answered */
bool lost = false;       /* a request that was begun got no answer */
bool may_begin[2] = false; /* to drain, without being asked */

#define idle(me) ((me == CLIENT && waiting == 0 && asked == 0) || (me == SERVER && running == 0))

inline send(me, what) {
  /* Nothing may follow CLOSE in its direction but the end of the stream. */
  assert(!sent_close[me] || what == FIN);
  to[1 - me] ! what
}

inline drain(me, first) {
  state[me] = DRAINING;
  if
  :: first -> initiated[me] = true
  :: else -> skip
  fi;
  wants_goaway[me] = true
}

inline send_close(me) {
  send(me, CLOSE);
  sent_close[me] = true
}

/* Everything that is open fails, and nothing is begun anymore. */
inline end_streams(me) {
  if
  :: me == CLIENT -> lost = lost || asked > 0; waiting = 0; asked = 0
  :: else -> running = 0
  fi
}

inline receive(me, what) {
  if
  :: what == FIN ->
    if
    :: state[me] == CLOSING || state[me] == ENDED -> state[me] = CLOSED
    :: else -> assert(false) /* the stream ends without CLOSE */
    fi
  :: else ->
    assert(!got_close[me]); /* a record after CLOSE */
    if
    :: what == REQUEST ->
      assert(me == SERVER && !got_goaway[me]); /* a stream after GOAWAY */
      if
#ifdef BROKEN_SERVES_AFTER_CLOSE
      :: true -> running++
#else
      :: state[me] == CLOSING -> skip
      :: else -> running++
#endif
      fi;
      assert(!sent_close[me] || running == 0) /* a handler that starts after CLOSE */
    :: what == ANSWER ->
      if
      :: asked > 0 -> asked--
      :: else -> skip
      fi
    :: what == GOAWAY ->
      assert(!got_goaway[me]);
      got_goaway[me] = true;
      if
      :: me == CLIENT -> waiting = 0
      :: else -> skip
      fi;
#ifndef BROKEN_NO_ANSWER
      if
      :: state[me] == OPEN -> drain(me, false)
      :: else -> skip
      fi
#endif
    :: what == CLOSE ->
      got_close[me] = true;
      end_streams(me);
      state[me] = ENDED;
      if
      :: sent_close[me] -> skip
      :: else -> send_close(me)
      fi;
      send(me, FIN)
    fi
  fi
}

proctype Side(byte me) {
  mtype what;
  do
  :: state[me] != CLOSED && to[me] ? [what] -> to[me] ? what -> atomic { receive(me, what) }

  /* The client asks, the server answers. */
  :: atomic {
      me == CLIENT && waiting > 0 && !sent_goaway[me] && !got_goaway[me] && (state[me] == OPEN || state[me] == DRAINING) ->
      waiting--; asked++; send(me, REQUEST)
    }
  :: atomic {
      me == SERVER && running > 0 && (state[me] == OPEN || state[me] == DRAINING) ->
      running--; send(me, ANSWER)
    }
#ifdef BROKEN_ANSWERS_AFTER_CLOSE
  :: atomic { me == SERVER && running > 0 && state[me] == CLOSING -> running--; send(me, ANSWER) }
#endif

  :: atomic { may_begin[me] && state[me] == OPEN -> drain(me, true) }
  :: atomic { may_begin[me] && state[me] == DRAINING && !initiated[me] -> initiated[me] = true }
#ifdef BROKEN_GOAWAY_FIRST
  :: atomic { state[me] == DRAINING && wants_goaway[me] ->
#else
  /* Waiting requests are begun before; when GOAWAY is answered, none waits anymore. */
  :: atomic { state[me] == DRAINING && wants_goaway[me] && (me == SERVER || waiting == 0) ->
#endif
      wants_goaway[me] = false; sent_goaway[me] = true; send(me, GOAWAY)
#ifdef BROKEN_GOAWAY_FIRST
      ; if
      :: me == CLIENT && waiting > 0 -> waiting--; asked++; send(me, REQUEST)
      :: else -> skip
      fi
#endif
    }

  /* The drain is over. A client needs no answer to know that no stream is left. */
  :: atomic {
      state[me] == DRAINING && initiated[me] && idle(me) &&
      ((me == CLIENT && !got_goaway[me]) || (got_goaway[me] && sent_goaway[me])) ->
      send_close(me); state[me] = CLOSING
    }
#ifndef NO_DEADLINE
  :: atomic { state[me] == DRAINING ->
      send_close(me); state[me] = CLOSING;
      if
#ifdef BROKEN_ANSWERS_AFTER_CLOSE
      :: true -> skip
#else
      :: me == SERVER -> running = 0
      :: else -> waiting = 0
#endif
      fi
    }
#endif
  :: state[me] == CLOSED && empty(to[me]) && sent_close[me] -> break
  od
}

init {
  atomic {
    if
    :: may_begin[CLIENT] = true
    :: may_begin[SERVER] = true
    :: may_begin[CLIENT] = true; may_begin[SERVER] = true
    fi;
    run Side(CLIENT);
    run Side(SERVER)
  }
}

/* Both sides end, whatever crosses. */
ltl both_end { [] ((state[CLIENT] != OPEN || state[SERVER] != OPEN) -> <> (state[CLIENT] == CLOSED && state[SERVER] == CLOSED)) }
/* After CLOSE nothing is served, whichever side sent it. */
ltl serves_nothing_after_close { [] ((sent_close[SERVER] || got_close[SERVER]) -> [] (running == 0)) }
/* A drain that no deadline cuts short loses no request. With deadlines it may: expected to be found violated then. */
ltl loses_nothing { [] !lost }
/* Both GOAWAYs and both CLOSEs cross in some run. Expected to be found violated. */
#define goaways_cross (sent_goaway[CLIENT] && sent_goaway[SERVER] && !got_goaway[CLIENT] && !got_goaway[SERVER])
#define closes_cross (sent_close[CLIENT] && sent_close[SERVER] && !got_close[CLIENT] && !got_close[SERVER])
ltl never_crosses { !(<> goaways_cross && <> closes_cross) }
