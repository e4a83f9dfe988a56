/* The instance proof and the event windows of docs/protocol.md sections 4.8 and 6.7: one server, one client, and a thief
 * that holds the key file as well.
 *
 * The thief may answer the client as a server, and then has its instance key and its proof for that session. The thief
 * may dial the server any number of times, name any instance key, and show any proof that it has or can make. It seals
 * anything, because it holds the key file; but it has no private instance key except its own.
 *
 * A proof is a pair: whose private instance key made it, and for the ephemeral key of which session. The client sends
 * each event until it is acknowledged. A thief that acknowledges events and drops them is left out, because no proof
 * prevents that.
 */

#define CLIENT 0
#define THIEF 1
#define EVENTS 2
#define MAX_SESSIONS 5
/* The session in which the thief is the server. */
#define OF_THIEF 99

byte sessions = 0;                /* of the server; each has an ephemeral key of its own, which is its number */
bool harvested = false;           /* the thief has answered the client */
bool recorded[4];                 /* the windows: instance key * EVENTS + sequence */
bool delivered[EVENTS];           /* the client's own event was handed over */
byte acknowledged = 0;            /* events of the client that are done */
byte refused = 0;

/* Whether the server takes a CONFIRM that names `named`, with the proof of `owner` for `session`. */
#if defined(BROKEN_WINDOW_BY_ID)
#define TAKES(named, owner, session) true
#elif defined(BROKEN_PROOF_OF_NO_SESSION)
#define TAKES(named, owner, session) (owner == named)
#elif defined(BROKEN_PROOF_OF_NO_KEY)
#define TAKES(named, owner, session) (session == sessions)
#else
#define TAKES(named, owner, session) (owner == named && session == sessions)
#endif

/* One event on a connection that the server has taken. It is acknowledged in any case. */
inline receive(sender, named, sequence) {
  if
  :: recorded[named * EVENTS + sequence] -> skip
  :: else ->
    recorded[named * EVENTS + sequence] = true;
    if
    :: sender == CLIENT -> delivered[sequence] = true
    :: else -> skip
    fi
  fi
}

active proctype Client() {
  byte next = 0;
end_client:
  do
  :: next < EVENTS ->
    if
    /* Another party answers, and the event is lost. */
    :: harvested = true
    /* The server answers; its acknowledgement may be lost, and then the event is sent again. */
    :: atomic { sessions < MAX_SESSIONS -> sessions++;
        assert(TAKES(CLIENT, CLIENT, sessions));
        receive(CLIENT, CLIENT, next);
        if
        :: assert(delivered[next]); next++; acknowledged++
        :: skip
        fi
      }
    fi
  :: next == EVENTS -> break
  od
}

active proctype Thief() {
  byte sequence; byte owner; byte session; byte named;
end_thief:
  do
  :: atomic { sessions < MAX_SESSIONS -> sessions++;
      if
      :: named = THIEF; owner = THIEF; session = sessions
      :: named = CLIENT; owner = THIEF; session = sessions
      :: harvested -> named = CLIENT; owner = CLIENT; session = OF_THIEF
      fi;
      if
      :: sequence = 0
      :: sequence = 1
      fi;
      if
      :: TAKES(named, owner, session) -> receive(THIEF, named, sequence)
      :: else -> refused++
      fi
    }
  od
}

/* Nothing of the client is taken for a repeat that was not handed over before. */
ltl loses_nothing { [] (acknowledged <= delivered[0] + delivered[1]) }
/* Only the client takes part in its window. */
ltl window_is_its_own { [] ((recorded[0] -> delivered[0]) && (recorded[1] -> delivered[1])) }
/* All events can arrive although the thief tries. Expected to be found violated. */
ltl never_all { [] (!(acknowledged == EVENTS && refused > 1)) }
