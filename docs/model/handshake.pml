/* The handshake of docs/protocol.md section 4: one client, one server, and a network that belongs to an attacker.
 *
 * A sealed message is the name of its purpose; a party without the key cannot make one. CONFIRM stands for everything
 * that the server verifies in it; the proof of the instance, for holders of the key, is in instance.pml. The attacker
 * holds every message of an old session and every message seen in this one, gives either side any of them, or noise,
 * any number of times and in any order, and cuts either connection at any time.
 *
 * Ephemeral keys are numbers: OLD and NOW for the client's, and the server draws a new one for each message 1.
 */

#define OLD 1
#define NOW 2

mtype = { M1, M2, CONFIRM, REQUEST, ANSWER, NOISE, ALERT, CUT };
mtype = { SENT, ACCEPTED, WAIT_CONFIRM, OPEN, CLOSED };

/* type, the client's ephemeral key of its session, whether the server's is that of this run, the number of the record */
chan to_server = [0] of { mtype, byte, bool, byte };
chan to_client = [0] of { mtype, byte, bool, byte };

mtype client = SENT;
mtype server = ACCEPTED;
byte server_for = 0; /* whose message 1 the server answered */

/* The messages that have been sent, which the attacker therefore has. */
bool seen_m2 = false;
bool seen_confirm = false;
bool seen_request = false;
bool seen_answer = false;

byte handed = 0;    /* requests handed to a handler */
byte answered = 0;  /* answers given to the caller */

active proctype Client() {
  mtype type; byte session; bool fresh; byte n;
  byte next = 0;
end_client:
  do
  :: to_client ? type, session, fresh, n ->
    if
    :: client == CLOSED -> skip
    :: client == SENT ->
      if
      :: type == M2 && session == NOW ->
        assert(seen_m2 && server_for == NOW);
        client = OPEN;
        seen_confirm = true;
        seen_request = true
      :: else -> client = CLOSED
      fi
    :: client == OPEN ->
      if
      :: type == ANSWER && session == NOW && fresh && n == next -> next++; answered++
      :: else -> client = CLOSED
      fi
    fi
  od
}

active proctype Server() {
  mtype type; byte session; bool fresh; byte n;
  byte next = 0;
end_server:
  do
  :: to_server ? type, session, fresh, n ->
    if
    :: server == CLOSED -> skip
    :: server == ACCEPTED ->
      if
      :: type == M1 ->
        server_for = session;
        seen_m2 = true;
#ifdef BROKEN_NO_CONFIRM
        server = OPEN; next = 1
#else
        server = WAIT_CONFIRM
#endif
      :: else -> server = CLOSED
      fi
    :: server == WAIT_CONFIRM ->
      if
#ifdef BROKEN_OLD_CONFIRM
      :: type == CONFIRM && session == server_for && n == 0 -> server = OPEN; next = 1
#else
      :: type == CONFIRM && session == server_for && fresh && n == 0 -> server = OPEN; next = 1
#endif
      :: else -> server = CLOSED
      fi
    :: server == OPEN ->
      if
#ifdef BROKEN_NO_COUNTER
      :: type == REQUEST && session == server_for && fresh ->
#else
      :: type == REQUEST && session == server_for && fresh && n == next ->
#endif
        next++; handed++; seen_answer = true
      :: else -> server = CLOSED
      fi
    fi
  od
}

active proctype Attacker() {
  byte sends = 0;
end_attacker:
  do
  :: sends < 8 ->
    sends++;
    if
    /* Of this session, once they have been sent. */
    :: to_server ! M1, NOW, true, 0
    :: seen_confirm -> to_server ! CONFIRM, NOW, true, 0
    :: seen_request -> to_server ! REQUEST, NOW, true, 1
    :: seen_m2 -> to_client ! M2, server_for, true, 0
    :: seen_answer -> to_client ! ANSWER, server_for, true, 0
    /* Of an old session. */
    :: to_server ! M1, OLD, false, 0
    :: to_server ! CONFIRM, OLD, false, 0
    :: to_server ! REQUEST, OLD, false, 1
    :: to_client ! M2, OLD, false, 0
    :: to_client ! ANSWER, OLD, false, 0
    /* One direction thrown back into the other, and noise: neither opens. */
    :: seen_answer -> to_server ! ANSWER, NOW, true, 1
    :: seen_request -> to_client ! REQUEST, NOW, true, 0
    :: to_server ! NOISE, 0, false, 0
    :: to_client ! NOISE, 0, false, 0
    /* Not sealed: any attacker on the path can send it, and it is no more than noise. */
    :: to_client ! ALERT, 0, false, 0
    :: to_server ! CUT, 0, false, 0
    :: to_client ! CUT, 0, false, 0
    fi
  od
}

/* The server opens only for a client that has seen its message 2 and sent CONFIRM. */
ltl opens_after_confirm { [] ((server == OPEN) -> (seen_confirm && client != SENT)) }
/* A message 1 that is repeated gets no further than WAIT_CONFIRM. */
ltl replay_never_opens { [] ((server == OPEN) -> (server_for == NOW)) }
/* Nothing is handed over before OPEN, and nothing twice. */
ltl hands_over_once { [] (handed <= 1 && (handed == 0 || seen_confirm)) }
/* No answer without a request that was handed over, and none twice. */
ltl answers_once { [] (answered <= handed) }
/* A complete run is possible. Expected to be found violated. */
ltl never_works { [] (answered == 0) }
