//go:build !moby20

package main

import _ "embed"

//go:embed routes-28.5.tsv
var routeTable string
