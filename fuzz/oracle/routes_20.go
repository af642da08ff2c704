//go:build moby20

package main

import _ "embed"

//go:embed routes-20.10.tsv
var routeTable string
