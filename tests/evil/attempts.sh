# What the hostile guests share: an attempt that succeeds is told with a word that no log may have.
WORLD=$1 PORT=$2
DATA=$SYFTBOX_FOLDER/$SYFTBOX_EMAIL/private/syft_datasets/census
CSV=$DATA/data.csv
refused=0

attempt() {
    if ( eval "$1" ) > /tmp/said 2>&1; then
        echo "GOTCHA $1"
        cat /tmp/said
    else
        refused=$((refused + 1))
    fi
}

over() {
    echo "$refused refused"
}
