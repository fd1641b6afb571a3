/** Prints a sheet with a title and a text, and nothing else of the page: rules in print.css hide the rest. */
import './print.css'

export function printText(title: string, text: string): void {
  const sheet = document.createElement('article')
  sheet.className = 'print-sheet'
  const heading = document.createElement('h1')
  heading.textContent = title
  const body = document.createElement('p')
  body.textContent = text
  body.dir = 'ltr'
  sheet.append(heading, body)
  document.body.append(sheet)
  addEventListener('afterprint', () => sheet.remove(), { once: true })
  print()
}
