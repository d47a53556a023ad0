#!/bin/sh
# version.sh -- prints the version without a newline; the one place that holds it.
printf '0.3.0'
