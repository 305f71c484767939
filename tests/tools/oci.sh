# Images written by hand, as the OCI image layout. Sourced after lib.sh: . "$TESTS/tools/oci.sh"

sha() { sha256sum "$1" | cut -d ' ' -f 1; }

# layout DIR: an empty one.
layout() {
  rm -rf --one-file-system "$1"
  mkdir -p "$1/blobs/sha256"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
  : >"$1/.entries"
}

# blob DIR FILE: puts it there; its digest is $digest, its size $size.
blob() {
  digest=$(sha "$2")
  size=$(stat -c %s "$2")
  cp "$2" "$1/blobs/sha256/$digest"
}

# descriptor TYPE: of the blob before.
descriptor() { printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s}' "$1" "$digest" "$size"; }

# oci DIR NAME LAYER...: adds an image to the layout; a layer that ends in .gz is unpacked for its diff id. CONFIG are members
# of its config's `config`. Its config's digest is $image_id, its manifest's descriptor $manifest.
oci() {
  local dir=$1 name=$2 diff_ids= layers= layer config comma=
  shift 2
  for layer; do
    blob "$dir" "$layer"
    case $layer in
      *.gz) layers+=$comma$(descriptor layer.v1.tar+gzip) diff_ids+=$comma\"sha256:$(gzip -dc "$layer" | sha256sum | cut -d ' ' -f 1)\" ;;
      *) layers+=$comma$(descriptor layer.v1.tar) diff_ids+=$comma\"sha256:$digest\" ;;
    esac
    comma=,
  done
  printf '{"architecture":"amd64","os":"linux","config":{%s},"rootfs":{"type":"layers","diff_ids":[%s]},"history":[]}' \
    "${CONFIG:-}" "$diff_ids" >"$T/document"
  blob "$dir" "$T/document"
  image_id=$digest
  config=$(descriptor config.v1+json)
  printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$config" "$layers" >"$T/document"
  blob "$dir" "$T/document"
  manifest=$(descriptor manifest.v1+json)
  entry "$dir" "${manifest%\}}${name:+,\"annotations\":{\"org.opencontainers.image.ref.name\":\"$name\"\}}}"
}

# entry DIR JSON: an entry of the index.
entry() {
  printf '%s\n' "$2" >>"$1/.entries"
  printf '{"schemaVersion":2,"manifests":[%s]}' "$(paste -sd , "$1/.entries")" >"$1/index.json"
}

# pack DIR FILE [NAME...]: as an archive; the members in that order.
pack() {
  local dir=$1 file=$2
  shift 2
  if [ $# = 0 ]; then set -- $(cd "$dir" && find . -type f ! -name .entries -printf '%P\n' | sort); fi
  tar -C "$dir" --owner=0 --group=0 -cf "$file" "$@"
}

# tree_of DIR: what is in a root, but for where containers mount on.
tree_of() {
  (cd "$1" && find . \( -path ./proc -o -path ./sys -o -path ./dev \) -prune -o ! -path . \
    ! -path ./etc ! -path ./etc/hosts ! -path ./etc/hostname ! -path ./etc/resolv.conf -printf '%P %y %m %U.%G %s %l %n\n' | sed 's/^\(.* d [0-7]* [0-9.]*\) [0-9]* .*/\1/' | sort)
}
