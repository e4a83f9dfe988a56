#!/bin/sh
cat <<END
5 states, stored
errors: 0
Warning: Search not completed
END
