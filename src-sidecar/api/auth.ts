import { timingSafeEqual } from 'node:crypto'
import { getCookie, setCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import { AppError } from '../errors/app-error.ts'
import type { EntryCodes } from './entry-codes.ts'

export interface AuthOptions {
  readonly token: string
  readonly entryCodes: EntryCodes
  /** The port that we listen on; known once we do. */
  readonly port: () => number
  /** Origins besides our own that may call: the shell's page. */
  readonly allowedOrigins: ReadonlySet<string>
}

export const ownHosts = (port: number): string[] => [`127.0.0.1:${port}`, `localhost:${port}`]

/** Cookies are shared by all ports of a host, so the name carries ours. */
const cookieName = (port: number): string => `stablenew-${port}`

/**
 * Every request needs the token: as `Authorization: Bearer`, as `?token=` (where no header can be set), or as the cookie
 * that `GET /?token=` and `GET /?code=` (once) set. `Host` must be ours (against DNS rebinding), and `Origin`, where it is sent, ours or the shell's.
 */
export const authenticate = ({ token, entryCodes, port, allowedOrigins }: AuthOptions) =>
  createMiddleware(async (c, next) => {
    if (!ownHosts(port()).includes(c.req.header('host') ?? '')) {
      throw new AppError('forbidden_origin', `This server answers to ${ownHosts(port())[0]} only.`)
    }
    const origin = c.req.header('origin')
    if (origin !== undefined && !isAllowedOrigin(origin, port(), allowedOrigins)) {
      throw new AppError('forbidden_origin', `Pages of ${origin} may not use StableNew.`)
    }
    const enter = () => setCookie(c, cookieName(port()), token, { httpOnly: true, sameSite: 'Strict', path: '/' })
    const code = c.req.path === '/' ? c.req.query('code') : undefined
    if (code !== undefined && entryCodes.use(code)) {
      enter()
      return c.redirect('/')
    }
    const query = c.req.query('token')
    const bearer = c.req.header('authorization')?.replace(/^Bearer /i, '')
    const given = bearer ?? query ?? getCookie(c, cookieName(port()))
    if (!isToken(given, token)) {
      throw new AppError(
        'unauthorized',
        'The token is missing or wrong. Open the address that StableNew printed at its start, with its token.',
      )
    }
    if (c.req.path === '/' && query !== undefined) enter()
    await next()
  })

export const isAllowedOrigin = (origin: string, port: number, allowed: ReadonlySet<string>): boolean =>
  allowed.has(origin) || ownHosts(port).some((host) => origin === `http://${host}`)

function isToken(given: string | undefined, token: string): boolean {
  if (given === undefined) return false
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}
