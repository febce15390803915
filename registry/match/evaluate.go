package match

// Quality is how well pairs hit the truth: precision is the share of the pairs that are true,
// recall the share of the true that are among the pairs, F1 their harmonic mean.
type Quality struct {
	Found, Wrong, Missed  int
	Precision, Recall, F1 float64
}

// Evaluate holds pairs against the truth.
//
//	truth  the person that each record's ID is of; two records of one person are a true pair
//	pairs  as [Link] or [LinkTwo] gave them
//
// With LinkTwo the true pairs are only those across the two files: see [EvaluateTwo].
func Evaluate(truth map[string]string, pairs []Pair) Quality {
	size := map[string]int{}
	for _, person := range truth {
		size[person]++
	}
	total := 0
	for _, n := range size {
		total += n * (n - 1) / 2
	}
	return quality(truth, truth, pairs, total)
}

// EvaluateTwo is Evaluate for pairs across two files, each with its own truth.
func EvaluateTwo(truthA, truthB map[string]string, pairs []Pair) Quality {
	size := map[string]int{}
	for _, person := range truthA {
		size[person]++
	}
	total := 0
	for _, person := range truthB {
		total += size[person]
	}
	return quality(truthA, truthB, pairs, total)
}

func quality(truthA, truthB map[string]string, pairs []Pair, total int) Quality {
	var q Quality
	for _, p := range pairs {
		if a, b := truthA[p.A], truthB[p.B]; a != "" && a == b {
			q.Found++
		} else {
			q.Wrong++
		}
	}
	q.Missed = total - q.Found
	if q.Found > 0 {
		q.Precision = float64(q.Found) / float64(len(pairs))
		q.Recall = float64(q.Found) / float64(total)
		q.F1 = 2 * q.Precision * q.Recall / (q.Precision + q.Recall)
	}
	return q
}
