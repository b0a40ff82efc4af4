/** A symmetric, positive definite matrix as L·Lᵀ; L is lower triangular. */
export function cholesky(matrix: readonly (readonly number[])[]): number[][] {
  const lower = matrix.map((row) => row.map(() => 0))
  for (const [i, row] of lower.entries())
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!
      for (let at = 0; at < j; at++) sum -= row[at]! * lower[j]![at]!
      row[j] = i === j ? Math.sqrt(sum) : sum / lower[j]![j]!
    }
  return lower
}

/** x of L·x = b. */
export function solveLower(lower: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x: number[] = []
  for (const [i, row] of lower.entries()) {
    let sum = b[i]!
    for (let j = 0; j < i; j++) sum -= row[j]! * x[j]!
    x.push(sum / row[i]!)
  }
  return x
}

/** x of Lᵀ·x = b. */
export function solveUpper(lower: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x = [...b]
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i]! -= lower[j]![i]! * x[j]!
    x[i]! /= lower[i]![i]!
  }
  return x
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, one, i) => sum + one * b[i]!, 0)

/** Of L·Lᵀ. */
export const logDeterminant = (lower: readonly (readonly number[])[]): number =>
  2 * lower.reduce((sum, row, i) => sum + Math.log(row[i]!), 0)
