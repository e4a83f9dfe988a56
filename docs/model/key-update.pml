/* KEY_UPDATE, docs/protocol.md section 5.4: both directions of a connection that changes its keys again and again.
 *
 * A record is the generation of the key that sealed it, its number, and its type. Keys and numbers go round after
 * GENERATIONS and NUMBERS, which is more than a channel holds, so that the run never ends and is finite all the same.
 * 64 records between two updates are SPACING here, and the burst of 16 is BURST.
 */

#define SPACING 2
#define BURST 2
#define GENERATIONS 4
#define NUMBERS 5
#define CAPACITY 2

mtype = { DATA, KEY_UPDATE };

chan way[2] = [CAPACITY] of { byte, byte, mtype };

byte sealing[2] = 0; /* the key that a side seals with */
byte opening[2] = 0; /* the key that it opens with */
byte updates[2] = 0; /* for the properties: updates that were read, going round */
bool has_read[2] = false;

proctype Side(byte me) {
  byte sealed = 0; byte read = 0;   /* the numbers of the next records */
  byte since_update = 0;            /* records sealed with this key, up to SPACING */
  byte towards_credit = 0;
  byte credits = BURST;
  byte key; byte n; mtype what;
  do
  :: atomic { nfull(way[me]) ->
      way[me] ! sealing[me], sealed, DATA;
      sealed = (sealed + 1) % NUMBERS;
      if
      :: since_update < SPACING -> since_update++
      :: else -> skip
      fi
    }
#ifdef BROKEN_TOO_SOON
  :: atomic { nfull(way[me]) ->
#else
  :: atomic { nfull(way[me]) && since_update == SPACING ->
#endif
#ifdef BROKEN_NEW_KEY_FIRST
      sealing[me] = (sealing[me] + 1) % GENERATIONS;
      way[me] ! sealing[me], sealed, KEY_UPDATE;
#else
      way[me] ! sealing[me], sealed, KEY_UPDATE;
      sealing[me] = (sealing[me] + 1) % GENERATIONS;
#endif
#ifdef BROKEN_COUNTER_RESET
      sealed = 0;
#else
      sealed = (sealed + 1) % NUMBERS;
#endif
      since_update = 0
    }
  :: atomic { way[1 - me] ? key, n, what ->
      assert(key == opening[me] && n == read); /* else the record does not open */
      read = (read + 1) % NUMBERS;
      has_read[me] = true;
      towards_credit++;
      if
      :: towards_credit == SPACING ->
        towards_credit = 0;
        if
        :: credits < BURST -> credits++
        :: else -> skip
        fi
      :: else -> skip
      fi;
      if
      :: what == KEY_UPDATE ->
        assert(credits > 0); /* an update without a credit */
        credits--;
        opening[me] = (opening[me] + 1) % GENERATIONS;
        updates[me] = (updates[me] + 1) % GENERATIONS;
#ifdef BROKEN_BOTH_DIRECTIONS
        sealing[me] = (sealing[me] + 1) % GENERATIONS
#endif
      :: else -> skip
      fi
    }
  od
}

init { atomic { run Side(0); run Side(1) } }

/* The key of what was read last is behind that of the sender by no more than what is under way. */
#define behind(me) ((sealing[1 - me] + GENERATIONS - opening[me]) % GENERATIONS)
ltl keys_agree { [] ((len(way[1]) == 0 -> behind(0) == 0) && (len(way[0]) == 0 -> behind(1) == 0)) }
/* Both directions do change their keys in one run. Expected to be found violated. */
ltl never_both { [] !(updates[0] > 1 && updates[1] > 1) }
