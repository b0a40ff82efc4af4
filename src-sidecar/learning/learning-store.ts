import type { AnswerRecord, Design, ExperimentRecord, RatingRecord } from '../contract/learning.ts'
import type { Database } from '../store/database.ts'
import { recipeText } from './ratings/recipe-text.ts'

export interface StoredExperiment {
  readonly id: number
  readonly uid: string
  readonly name: string
  readonly design: Design
  readonly createdAtMs: number
}

/** An image that an experiment has made, and its place in it. */
export interface MadeImage {
  readonly prompt: number
  readonly value: number
  readonly image: number
  readonly path: string
  /** As the backend named it. */
  readonly model: string
}

/** A rated image of the history. */
export interface RatedImage extends RatingRecord {
  /** It was judged in an experiment too, which counts instead. */
  readonly judged: boolean
}

export interface JobCounts {
  readonly open: number
  readonly imagesWanted: number
  readonly imagesDone: number
}

interface ExperimentRow {
  id: number
  uid: string
  name: string
  design: string
  created_at_ms: number
}

const toExperiment = ({ id, uid, name, design, created_at_ms }: ExperimentRow): StoredExperiment => ({
  id,
  uid,
  name,
  design: JSON.parse(design),
  createdAtMs: created_at_ms,
})

const alone = -1
const answerColumns = `prompt_row AS prompt, image_index AS image, value_a AS a, nullif(value_b, ${alone}) AS b, outcome,
  model_a AS modelA, model_b AS modelB, answered_at_ms AS answeredAtMs`
const ratedJson = `json_object('packId', j.pack_id, 'packName', coalesce(i.pack_name, j.pack_name), 'model', i.checkpoint, 'seed', i.seed,
  'recipe', json(coalesce(i.recipe, j.recipe)), 'rating', i.rating, 'ratedAtMs', i.rated_at_ms)`

/** Every statement on what is learned. An answer is on disk before it is acknowledged. */
export class LearningStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @returns undefined where one of that uid is there already. */
  add({ uid, name, design, createdAtMs }: Omit<StoredExperiment, 'id'>): number | undefined {
    const { changes, lastInsertRowid } = this.#database
      .prepare('INSERT OR IGNORE INTO experiments (uid, name, design, created_at_ms) VALUES (?, ?, ?, ?)')
      .run(uid, name, JSON.stringify(design), createdAtMs)
    return changes === 1 ? Number(lastInsertRowid) : undefined
  }

  tie(experimentId: number, jobId: number, prompt: number, value: number): void {
    this.#database
      .prepare('INSERT INTO experiment_jobs (job_id, experiment_id, prompt_row, value_index) VALUES (?, ?, ?, ?)')
      .run(jobId, experimentId, prompt, value)
  }

  get(id: number): StoredExperiment | undefined {
    const row = this.#database.prepare('SELECT * FROM experiments WHERE id = ?').get(id) as ExperimentRow | undefined
    return row && toExperiment(row)
  }

  byUid(uid: string): StoredExperiment | undefined {
    const row = this.#database.prepare('SELECT * FROM experiments WHERE uid = ?').get(uid) as ExperimentRow | undefined
    return row && toExperiment(row)
  }

  /** Newest first. */
  all(): StoredExperiment[] {
    return (
      this.#database.prepare('SELECT * FROM experiments ORDER BY created_at_ms DESC, id DESC').all() as ExperimentRow[]
    ).map(toExperiment)
  }

  /** Its answers go with it; jobs and images stay. */
  remove(id: number): void {
    this.#database.prepare('DELETE FROM experiments WHERE id = ?').run(id)
  }

  jobs(id: number): JobCounts {
    return this.#database
      .prepare(
        `SELECT coalesce(sum(j.state IN ('queued', 'running', 'interrupted')), 0) AS open,
           coalesce(sum(j.images_wanted), 0) AS imagesWanted, coalesce(sum(j.images_done), 0) AS imagesDone
         FROM experiment_jobs e JOIN jobs j ON j.id = e.job_id WHERE e.experiment_id = ?`,
      )
      .get(id) as JobCounts
  }

  /** Jobs of it that still wait or run. */
  openJobs(id: number): number[] {
    const rows = this.#database
      .prepare(
        `SELECT e.job_id AS id FROM experiment_jobs e JOIN jobs j ON j.id = e.job_id
         WHERE e.experiment_id = ? AND j.state IN ('queued', 'running', 'interrupted')`,
      )
      .all(id) as { id: number }[]
    return rows.map((row) => row.id)
  }

  /** Those of jobs that were edited to make something else are not among them. */
  images(id: number): MadeImage[] {
    const rows = this.#database
      .prepare(
        `SELECT e.prompt_row AS prompt, e.value_index AS value, i.image_index AS image, i.path, i.checkpoint AS model,
           e.planned_recipe AS planned, iif(e.planned_recipe IS NULL, NULL, j.recipe) AS recipe
         FROM experiment_jobs e JOIN jobs j ON j.id = e.job_id JOIN images i ON i.job_id = e.job_id AND i.intermediate = 0
         WHERE e.experiment_id = ?`,
      )
      .all(id) as (MadeImage & { planned: string | null; recipe: string | null })[]
    const isAsPlanned = (planned: string | null, recipe: string | null) =>
      planned === null || recipe === null || recipeText(JSON.parse(planned)) === recipeText(JSON.parse(recipe))
    return rows.flatMap(({ planned, recipe, ...made }) => (isAsPlanned(planned, recipe) ? [made] : []))
  }

  /** @returns false where it was answered already. */
  answer(id: number, { prompt, image, a, b, outcome, modelA, modelB, answeredAtMs }: AnswerRecord): boolean {
    return (
      this.#database
        .prepare(
          `INSERT OR IGNORE INTO experiment_answers
             (experiment_id, prompt_row, image_index, value_a, value_b, outcome, model_a, model_b, answered_at_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(id, prompt, image, a, b ?? alone, outcome, modelA, modelB, answeredAtMs).changes === 1
    )
  }

  /** In the order in which they were given. */
  answers(id: number): AnswerRecord[] {
    return this.#database
      .prepare(`SELECT ${answerColumns} FROM experiment_answers WHERE experiment_id = ? ORDER BY id`)
      .all(id) as AnswerRecord[]
  }

  /** Takes the latest answer back. @returns which, or undefined where there is none. */
  undo(id: number): AnswerRecord | undefined {
    return this.#database
      .prepare(
        `DELETE FROM experiment_answers WHERE id = (SELECT max(id) FROM experiment_answers WHERE experiment_id = ?)
         RETURNING ${answerColumns}`,
      )
      .get(id) as AnswerRecord | undefined
  }

  /** Ratings of the history, in pages. */
  *ownRatings(pageSize = 500): Generator<RatedImage[]> {
    const page = this.#database.prepare(
      `SELECT i.id, ${ratedJson} AS record, EXISTS (
         SELECT 1 FROM experiment_jobs e JOIN experiment_answers a ON a.experiment_id = e.experiment_id
           AND a.prompt_row = e.prompt_row AND a.image_index = i.image_index AND e.value_index IN (a.value_a, a.value_b)
         WHERE e.job_id = i.job_id) AS judged
       FROM images i JOIN jobs j ON j.id = i.job_id
       WHERE i.rating IS NOT NULL AND i.intermediate = 0 AND i.id > ? ORDER BY i.id LIMIT ?`,
    )
    for (let after = 0; ; ) {
      const rows = page.all(after, pageSize) as { id: number; record: string; judged: number }[]
      if (rows.length === 0) return
      after = rows.at(-1)!.id
      yield rows.map(({ record, judged }) => ({ ...JSON.parse(record), judged: judged === 1 }))
    }
  }

  /** Ratings of images that the history does not have, in pages. */
  *importedRatings(pageSize = 500): Generator<RatedImage[]> {
    const page = this.#database.prepare(
      'SELECT record_hash AS hash, record FROM imported_ratings WHERE record_hash > ? ORDER BY record_hash LIMIT ?',
    )
    for (let after = ''; ; ) {
      const rows = page.all(after, pageSize) as { hash: string; record: string }[]
      if (rows.length === 0) return
      after = rows.at(-1)!.hash
      yield rows.map(({ record }) => ({ ...JSON.parse(record), judged: false }))
    }
  }

  /** The latest rating of an image counts. @param hash of what the image was made of @returns false where it is known */
  importRating(hash: string, record: RatingRecord): boolean {
    return (
      this.#database
        .prepare(
          `INSERT INTO imported_ratings (record_hash, record) VALUES (?, ?)
           ON CONFLICT (record_hash) DO UPDATE SET record = excluded.record
             WHERE json_extract(excluded.record, '$.ratedAtMs') > json_extract(record, '$.ratedAtMs')`,
        )
        .run(hash, JSON.stringify(record)).changes === 1
    )
  }

  /** An experiment from elsewhere; one that is known gets the answers that it lacks. @returns what was new */
  importExperiment({ answers, ...experiment }: ExperimentRecord): { isNew: boolean; answers: number } {
    return this.transaction(() => {
      const added = this.add(experiment)
      const id = added ?? this.byUid(experiment.uid)!.id
      return { isNew: added !== undefined, answers: answers.filter((answer) => this.answer(id, answer)).length }
    })
  }

  /** Runs `work` as one transaction: all of its rows or none. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work)()
  }
}
