/* Streams and their slots, docs/protocol.md sections 6.4 to 6.6: IDS streams, of which MAX may be open at a time.
 *
 * Each stream is a request of two frames or an event of one. The client cancels at any time, the server ends an answer
 * at any time, also before the request is complete. A frame is put into a line first and sealed later; what is sealed
 * keeps its order. Payloads, records and GOAWAY have no part in this.
 */

#ifndef MAX
#define MAX 2
#endif
#ifndef IDS
#define IDS 3
#endif

mtype = { REQUEST_MORE, REQUEST, EVENT, CANCEL, NEXT, LAST, ACK };
mtype = { UNUSED, HALF, SEALED, CANCELLED, RECEIVING, RUNNING, CLOSED };

/* kind, stream, and for the properties how many slots the client had taken when it sealed the frame */
chan up = [6] of { mtype, byte, byte };
chan down = [6] of { mtype, byte };

mtype at_client[IDS + 1] = UNUSED;
mtype at_server[IDS + 1] = UNUSED;
bool is_event[IDS + 1] = false;
byte taken = 0;     /* slots, as the client counts them */
byte held = 0;      /* slots, as the server counts them */
byte sealed = 0;    /* the highest stream that the client has sealed a frame of */
byte highest = 0;   /* the highest stream that the server has read a frame of */

inline open_stream() {
  sealed++;
  taken++;
  assert(taken <= MAX);
  if
  :: at_client[sealed] = HALF; up ! REQUEST_MORE, sealed, taken
  :: at_client[sealed] = SEALED; is_event[sealed] = true; up ! EVENT, sealed, taken
  fi
}

active proctype Client() {
  byte id; mtype kind;
end_client:
  do
  :: atomic { sealed < IDS && taken < MAX && nfull(up) -> open_stream() }
  :: atomic { nfull(up) ->
      select (id : 1 .. IDS);
      if
      /* The second frame, if the stream has not ended. */
      :: at_client[id] == HALF -> at_client[id] = SEALED; up ! REQUEST, id, taken
      /* CANCEL is put into the line. It holds the slot until it is sealed. */
      :: at_client[id] == HALF || at_client[id] == SEALED ->
        at_client[id] = CANCELLED
#ifdef BROKEN_FREES_EARLY
        ; taken--
#endif
      :: at_client[id] == CANCELLED ->
        at_client[id] = CLOSED
#ifndef BROKEN_FREES_EARLY
        ; taken--
#endif
        ; up ! CANCEL, id, taken
      :: else -> skip
      fi;
      id = 0
    }
  :: atomic { down ? kind, id ->
      assert(id <= sealed); /* a frame for a stream that was never opened */
      if
      :: at_client[id] == CLOSED -> skip /* late */
      :: else ->
        assert((kind == ACK) == is_event[id]);
        if
        :: kind == NEXT -> skip
        :: else ->
#ifdef BROKEN_FREES_EARLY
          if
          :: at_client[id] == CANCELLED -> skip
          :: else -> taken--
          fi;
#else
          taken--;
#endif
          at_client[id] = CLOSED
        fi
      fi;
      id = 0; kind = 0
    }
  od
}

active proctype Server() {
  byte id; mtype kind; byte claimed;
end_server:
  do
  :: atomic { up ? kind, id, claimed ->
      if
      :: kind == CANCEL ->
        assert(id <= highest); /* CANCEL for a stream that was never opened */
        if
        :: at_server[id] == RECEIVING || at_server[id] == RUNNING -> at_server[id] = CLOSED; held--
        :: else -> skip /* late */
        fi
      :: id > highest ->
        highest = id;
        held++;
        assert(held <= MAX); /* more streams than were announced */
        assert(held <= claimed); /* the count is never above that of the client when it sealed this */
        at_server[id] = (kind == REQUEST_MORE -> RECEIVING : RUNNING)
      :: else ->
        if
        :: at_server[id] == CLOSED -> skip /* late: it crossed the end of its stream */
        :: else ->
          assert(at_server[id] == RECEIVING); /* a second message on a stream */
          at_server[id] = RUNNING
        fi
      fi;
      id = 0; kind = 0; claimed = 0
    }
  :: atomic { nfull(down) ->
      select (id : 1 .. IDS);
      if
      :: (at_server[id] == RUNNING || at_server[id] == RECEIVING) && !is_event[id] -> down ! NEXT, id
      :: (at_server[id] == RUNNING || at_server[id] == RECEIVING) && !is_event[id] ->
        at_server[id] = CLOSED;
#ifndef BROKEN_KEEPS_SLOT
        held--;
#endif
        down ! LAST, id
      :: at_server[id] == RUNNING && is_event[id] -> at_server[id] = CLOSED; held--; down ! ACK, id
      :: else -> skip
      fi;
      id = 0
    }
  od
}

#define quiet (len(up) == 0 && len(down) == 0)
#define ended(id) (at_client[id] == CLOSED)

/* Whenever nothing is under way, both sides count the same. */
ltl counts_agree { [] (quiet -> (held == taken)) }
/* What the client has ended, the server has ended as soon as nothing is under way, and the other way round. */
ltl ends_agree { [] (quiet -> (ended(1) == (at_server[1] == CLOSED))) }
/* All slots of all streams can be used and freed. Expected to be found violated. */
ltl never_all { [] !(quiet && sealed == IDS && taken == 0 && held == 0) }
