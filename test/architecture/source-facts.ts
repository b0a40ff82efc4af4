import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** What a file says about itself, by its syntax tree; comments and strings don't count. */
export interface SourceFacts {
  /** From the repository's root, with slashes. */
  readonly path: string
  readonly lines: number
  /** A file of the repository as its path, a package as its name. Static, dynamic, type-only and re-exports alike. */
  readonly imports: readonly string[]
  /** The same without what type stripping takes away. */
  readonly runtimeImports: readonly string[]
  readonly readsEnvironment: boolean
  readonly endsProcess: boolean
}

export function readSources(folders: readonly string[]): SourceFacts[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.(ts|mjs|js|svelte)$/.test(path) && !path.endsWith('.d.ts'))
    .sort()
    .map((path) => factsOf(path, readFileSync(join(repository, path), 'utf8')))
}

export function factsOf(path: string, text: string): SourceFacts {
  const imports = new Set<string>()
  const runtimeImports = new Set<string>()
  let readsEnvironment = false
  let endsProcess = false

  const found = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const target = resolved(path, specifier.text)
    imports.add(target)
    if (!typeOnly) runtimeImports.add(target)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) found(node.moduleSpecifier, isTypeOnly(node))
    else if (ts.isExportDeclaration(node)) found(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) found(node.argument.literal, true)
    else if (ts.isCallExpression(node) && loads(node.expression)) found(node.arguments[0], false)
    readsEnvironment ||= isOfProcess(node, 'env')
    endsProcess ||= isOfProcess(node, 'exit') || isOfProcess(node, 'reallyExit')
    ts.forEachChild(node, visit)
  }
  for (const script of scripts(path, text)) visit(ts.createSourceFile(path, script, ts.ScriptTarget.Latest))
  return {
    path,
    lines: text.replace(/\n$/, '').split('\n').length,
    imports: [...imports],
    runtimeImports: [...runtimeImports],
    readsEnvironment,
    endsProcess,
  }
}

/** `import type`, or only `type` names in the braces. */
function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings } = importClause
  return (
    importClause.name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  )
}

/** `import(…)`, `require(…)`, `anything.resolve(…)` of a module: `import.meta.resolve`, `require.resolve`. */
function loads(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true
  if (ts.isIdentifier(callee)) return callee.text === 'require'
  return (
    ts.isPropertyAccessExpression(callee) &&
    callee.name.text === 'resolve' &&
    /^(import\.meta|require)$/.test(dotted(callee.expression))
  )
}

/** `process.NAME`, `globalThis.process.NAME`, `process['NAME']`, `const { NAME } = process`, `import { NAME } from 'node:process'`. */
function isOfProcess(node: ts.Node, name: string): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.name.text === name && isProcess(node.expression)
  if (ts.isElementAccessExpression(node))
    return ts.isStringLiteralLike(node.argumentExpression) && node.argumentExpression.text === name && isProcess(node.expression)
  if (ts.isVariableDeclaration(node))
    return (
      ts.isObjectBindingPattern(node.name) &&
      node.initializer !== undefined &&
      isProcess(node.initializer) &&
      node.name.elements.some((element) => dotted(element.propertyName ?? element.name) === name)
    )
  if (
    ts.isImportDeclaration(node) &&
    ts.isStringLiteral(node.moduleSpecifier) &&
    /^(node:)?process$/.test(node.moduleSpecifier.text)
  ) {
    const named = node.importClause?.namedBindings
    return named !== undefined && ts.isNamedImports(named) && named.elements.some((e) => (e.propertyName ?? e.name).text === name)
  }
  return false
}

const isProcess = (node: ts.Node): boolean => /^(globalThis\.|global\.)?process$/.test(dotted(node))

function dotted(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isMetaProperty(node)) return 'import.meta'
  return ts.isPropertyAccessExpression(node) ? `${dotted(node.expression)}.${node.name.text}` : ''
}

function resolved(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(dirname(path), specifier)
  const bare = specifier.replace(/^node:/, '')
  return bare
    .split('/')
    .slice(0, bare.startsWith('@') ? 2 : 1)
    .join('/')
}

const scripts = (path: string, text: string): string[] =>
  path.endsWith('.svelte') ? [...text.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '') : [text]
